//! The files that are uploaded: a real picture and a real table, made here and written to disk for curl.

use std::{
    fmt::Write as _,
    fs,
    io::Cursor,
    path::{Path, PathBuf},
};

use image::{ImageFormat, Rgb, RgbImage};
use sha2::{Digest, Sha256};

pub(super) const WIDTH: u32 = 640;
pub(super) const HEIGHT: u32 = 360;
/// Rows of the table, its head not counted.
pub(super) const ROWS: u32 = 1_000;

/// A file.
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) media_type: &'static str,
    /// What it is, in words.
    pub(super) what: String,
    pub(super) bytes: Vec<u8>,
}

impl Sample {
    fn write(path: PathBuf, media_type: &'static str, what: String, bytes: Vec<u8>) -> anyhow::Result<Self> {
        fs::write(&path, &bytes)?;
        Ok(Self { name: file_name(&path), path, media_type, what, bytes })
    }

    pub(super) fn sha256(&self) -> String {
        sha256(&self.bytes)
    }
}

/// Both files.
pub(super) fn all(dir: &Path) -> anyhow::Result<[Sample; 2]> {
    let (picture, table) = (format!("{WIDTH} × {HEIGHT} pixels"), "1,000 rows".to_owned());
    Ok([
        Sample::write(dir.join("sunset.png"), "image/png", picture, picture_bytes()?)?,
        Sample::write(dir.join("orders.csv"), "text/csv", table, table_bytes().into_bytes())?,
    ])
}

/// A small one, for the receiver that fails.
pub(super) fn small_text(dir: &Path) -> anyhow::Result<Sample> {
    let text = b"Please deliver this, whatever happens.\n".to_vec();
    Sample::write(dir.join("note.txt"), "text/plain", "one line".to_owned(), text)
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// From a dark blue sky down to orange.
fn picture_bytes() -> anyhow::Result<Vec<u8>> {
    let share = |at: u32, of: u32, most: u32| u8::try_from(at * most / of).unwrap_or(u8::MAX);
    let picture = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        Rgb([
            40 + share(y, HEIGHT, 200),
            30 + share(y, HEIGHT, 90) + share(x, WIDTH, 40),
            120 - share(y, HEIGHT, 90),
        ])
    });
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png)?;
    Ok(png.into_inner())
}

fn table_bytes() -> String {
    let mut table = "order,customer,item,cents\n".to_owned();
    for row in 1..=ROWS {
        let line = format_args!(
            "{row},customer {},\"hook, brass, {} mm\",{}\n",
            row % 97,
            row % 40,
            row * 37 % 9_999
        );
        table.write_fmt(line).expect("writing to a String does not fail");
    }
    table
}

/// Returns the last part of a path.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
