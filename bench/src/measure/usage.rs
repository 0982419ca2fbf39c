//! CPU time and memory of processes, from /proc.

use std::{fs, time::Instant};

use crate::cluster::Cluster;

/// Ticks of CPU time in a second: the same on every Linux that Rust builds for.
const TICKS: f64 = 100.0;
const KIB_IN_MIB: f64 = 1_024.0;

/// What one part cost during a measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    /// The part: a process, or a server with all of its.
    pub(crate) part: &'static str,
    /// CPU time, in seconds.
    pub(crate) cpu_s: f64,
    /// Share of one core.
    pub(crate) cores: f64,
    /// Memory at the end, in MiB; what processes share is counted once.
    pub(crate) mib: f64,
}

/// CPU time from now on.
pub(crate) struct Meter {
    begun: Instant,
    before: Vec<f64>,
}

impl Meter {
    /// Begins.
    pub(crate) fn start(cluster: &Cluster) -> Self {
        let before = cluster.parts().into_iter().map(|(_, ids)| cpu_of_all(&ids)).collect();
        Self { begun: Instant::now(), before }
    }

    /// What each part has cost since. Processes must not have been replaced meanwhile.
    pub(crate) fn costs(&self, cluster: &Cluster) -> Vec<Cost> {
        let seconds = self.begun.elapsed().as_secs_f64();
        let cost = |((part, ids), before): ((&'static str, Vec<u32>), &f64)| {
            let cpu_s = (cpu_of_all(&ids) - before).max(0.0);
            Cost { part, cpu_s, cores: cpu_s / seconds, mib: ids.iter().copied().map(proportional_mib).sum() }
        };
        cluster.parts().into_iter().zip(&self.before).map(cost).collect()
    }
}

/// Resident memory of one process, in MiB.
pub(crate) fn resident_mib(id: u32) -> f64 {
    kib_line(&format!("/proc/{id}/status"), "VmRSS:").unwrap_or_default() / KIB_IN_MIB
}

/// Like resident, but each shared page is divided among those who share it.
fn proportional_mib(id: u32) -> f64 {
    let share = kib_line(&format!("/proc/{id}/smaps_rollup"), "Pss:");
    share.map_or_else(|| resident_mib(id), |kib| kib / KIB_IN_MIB)
}

fn kib_line(file: &str, name: &str) -> Option<f64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// CPU time of processes and of all their descendants, in seconds.
pub(crate) fn cpu_of_trees(roots: &[u32]) -> f64 {
    let parents = parents();
    let mut ids = roots.to_vec();
    let mut looked_at = 0;
    while let Some(parent) = ids.get(looked_at).copied() {
        let children = parents.iter().filter(|(_, of)| *of == parent).map(|(id, _)| *id);
        let new: Vec<u32> = children.filter(|id| !ids.contains(id)).collect();
        ids.extend(new);
        looked_at += 1;
    }
    cpu_of_all(&ids)
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent_of = |id: u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    ids.filter_map(|id| Some((id, parent_of(id)?))).collect()
}

fn cpu_of_all(ids: &[u32]) -> f64 {
    ids.iter().filter_map(|id| cpu_s(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)).sum()
}

/// User and system time of a process and of the children that it has outlived: fields 14 to 17 of `stat`.
fn cpu_s(stat: &str) -> Option<f64> {
    // The name, in brackets, may hold anything.
    let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
    Some(fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_past_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 1 2 3 4 100 50 25 25 20 0 1 0 99";
        assert_eq!(cpu_s(stat), Some(2.0));
        assert_eq!(cpu_s("nothing"), None);
    }

    #[test]
    fn a_tree_holds_the_descendants() {
        let (id, mut child) =
            (std::process::id(), std::process::Command::new("sleep").arg("9").spawn().expect("it"));
        assert!(parents().contains(&(child.id(), id)));
        assert!(cpu_of_trees(&[id]) >= cpu_of_all(&[id]));
        child.kill().and_then(|()| child.wait()).expect("it is ours");
    }

    #[test]
    fn a_process_that_runs_has_memory() {
        let id = std::process::id();
        assert!(resident_mib(id) > 0.5 && proportional_mib(id) > 0.5);
        assert_eq!(resident_mib(0), 0.0);
    }
}
