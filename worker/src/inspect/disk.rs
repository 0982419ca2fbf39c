//! The file as decoders see it: every read is under the deadline, and a failure of the disk is remembered.
//! So that a decoder which wraps or swallows errors cannot turn our trouble into a bad file.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    time::{Duration, Instant},
};

use domain::upload::Facts;

use super::flaw::Flaw;

pub(super) struct Disk<'f> {
    file: &'f mut File,
    deadline: Option<Instant>,
    late: bool,
    fault: Option<io::Error>,
}

impl<'f> Disk<'f> {
    /// A time too long to add to the clock is no limit.
    pub(super) fn new(file: &'f mut File, time: Duration) -> Self {
        Self { file, deadline: Instant::now().checked_add(time), late: false, fault: None }
    }

    /// What a decoder made of the file, unless the disk failed or the time was up while it read.
    pub(super) fn settle(
        self,
        outcome: Result<Facts, Flaw>,
        time: Duration,
    ) -> io::Result<Result<Facts, Flaw>> {
        match self.fault {
            Some(fault) => Err(fault),
            None if self.late => Ok(Err(Flaw::TooSlow(time))),
            None => Ok(outcome),
        }
    }

    /// Fills `bytes` from `offset` on; an error when the file ends before.
    pub(super) fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(offset))?;
        self.read_exact(bytes)
    }

    fn remember<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        use io::ErrorKind::{Interrupted, InvalidInput};
        if let Err(error) = &result
            // A seek to before the beginning is the file's lie, not the disk's fault.
            && !matches!(error.kind(), Interrupted | InvalidInput)
        {
            self.fault.get_or_insert_with(|| io::Error::new(error.kind(), error.to_string()));
        }
        result
    }
}

impl Read for Disk<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.late = true;
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the time is up"));
        }
        let result = self.file.read(bytes);
        self.remember(result)
    }
}

impl Seek for Disk<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let result = self.file.seek(to);
        self.remember(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fails_is_not_a_bad_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("write-only");
        let mut unreadable = File::create(path).expect("a file");
        let mut disk = Disk::new(&mut unreadable, Duration::from_secs(60));
        let seen = disk.read(&mut [0; 4]).map_err(|error| Flaw::broken("image", error));
        let outcome = seen.map(|_| Facts::Other);
        assert!(disk.settle(outcome, Duration::ZERO).is_err());
    }

    #[test]
    fn a_seek_before_the_beginning_is_the_files_own_lie() {
        let mut file = tempfile::tempfile().expect("a file");
        let mut disk = Disk::new(&mut file, Duration::from_secs(60));
        assert!(disk.seek(SeekFrom::Current(-1)).is_err());
        assert_eq!(disk.settle(Ok(Facts::Other), Duration::ZERO).expect("no fault"), Ok(Facts::Other));
    }
}
