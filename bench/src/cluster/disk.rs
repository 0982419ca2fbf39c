//! A small disk for the data directory, to be filled and emptied. Only if this user may mount one.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Its size, in MiB.
const SIZE_MIB: usize = 256;
const BALLAST: &str = "ballast";

/// A disk in memory; removed with the cluster.
pub(crate) struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Mounts it at `path`, which is created; none when that is not allowed.
    pub(super) fn mount(path: &Path) -> Option<Self> {
        fs::create_dir_all(path).ok()?;
        let size = format!("size={SIZE_MIB}m,mode=700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "hookyard-bench"]).arg(path).stderr(Stdio::null());
        mount.status().ok()?.success().then(|| Self { path: path.to_owned() })
    }

    /// Fills it.
    pub(crate) fn fill(&self) {
        let block = vec![0_u8; 64 * 1_024];
        let Ok(mut ballast) = File::create(self.path.join(BALLAST)) else { return };
        while ballast.write_all(&block).is_ok() {}
    }

    /// Frees the space.
    pub(crate) fn free(&self) {
        // Missing when it was never filled.
        let _ = fs::remove_file(self.path.join(BALLAST));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a program that is just ending may still hold a file.
        let _ = Command::new("umount").arg("--lazy").arg(&self.path).stderr(Stdio::null()).status();
    }
}
