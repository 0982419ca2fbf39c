//! Buffers log lines and writes them together: a system call per line costs as much as formatting it. Lines wait for at most
//! 10 ms; a warning or an error flushes the buffer at once.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Longest time that a line is buffered.
const GATHER: Duration = Duration::from_millis(10);
/// Most buffered bytes: the caller that exceeds them flushes the buffer.
const MOST: usize = 64 * 1_024;

/// Accepts lines. Clones share one buffer.
#[derive(Clone)]
pub(super) struct Lines {
    shared: Arc<Shared>,
}

/// Writes lines until it is dropped, and flushes the buffer then. Later lines are written at once.
#[must_use = "buffered lines are written when it is dropped"]
pub struct Logging {
    shared: Arc<Shared>,
}

struct Shared {
    waiting: Mutex<Waiting>,
    added: Condvar,
    out: Mutex<Out>,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    /// No thread writes lines any more.
    is_over: bool,
}

struct Out {
    to: Box<dyn Write + Send>,
    /// The lines being written; kept to reuse the allocation.
    lines: Vec<u8>,
}

/// One line.
pub(super) struct Line<'a> {
    shared: &'a Shared,
    at_once: bool,
}

/// Starts a thread that writes lines to `to`.
pub(super) fn lines(to: impl Write + Send + 'static) -> io::Result<(Lines, Logging)> {
    let shared = Arc::new(Shared {
        waiting: Mutex::default(),
        added: Condvar::new(),
        out: Mutex::new(Out { to: Box::new(to), lines: vec![] }),
    });
    let writing = Arc::clone(&shared);
    thread::Builder::new().name("log".to_owned()).spawn(move || writing.write_until_over())?;
    Ok((Lines { shared: Arc::clone(&shared) }, Logging { shared }))
}

impl Shared {
    fn write_until_over(&self) {
        while self.wait() {
            thread::sleep(GATHER);
            self.write_out();
        }
    }

    /// Waits for a line; returns whether to continue.
    fn wait(&self) -> bool {
        let nothing = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.is_over;
        let waiting = self.added.wait_while(lock(&self.waiting), nothing);
        !waiting.unwrap_or_else(PoisonError::into_inner).is_over
    }

    fn add(&self, line: &[u8], at_once: bool) {
        let mut waiting = lock(&self.waiting);
        let is_first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        let write_now = at_once || waiting.is_over || waiting.lines.len() > MOST;
        drop(waiting);
        if write_now {
            self.write_out();
        } else if is_first {
            self.added.notify_one();
        }
    }

    /// Writes the buffered lines. One writer at a time takes the buffer, so lines keep their order.
    fn write_out(&self) {
        let Out { to, lines } = &mut *lock(&self.out);
        mem::swap(lines, &mut lock(&self.waiting).lines);
        // A closed output can't be reported anywhere.
        let _ = to.write_all(lines).and_then(|()| to.flush());
        lines.clear();
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.shared.add(line, self.at_once);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { shared: &self.shared, at_once: true }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line<'a> {
        Line { shared: &self.shared, at_once: *meta.level() <= Level::WARN }
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        lock(&self.shared.waiting).is_over = true;
        self.shared.added.notify_one();
        self.shared.write_out();
    }
}

// A panic while a lock is held leaves whole lines in the buffer, or the beginning of one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Sends each write to a channel.
    struct ChannelWriter(mpsc::Sender<Vec<u8>>);

    impl Write for ChannelWriter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines_to_channel() -> (Lines, Logging, mpsc::Receiver<Vec<u8>>) {
        let (sender, written) = mpsc::channel();
        let (lines, logging) = lines(ChannelWriter(sender)).expect("a thread");
        (lines, logging, written)
    }

    fn add(lines: &Lines, line: &str, at_once: bool) {
        lines.shared.add(line.as_bytes(), at_once);
    }

    #[test]
    fn lines_are_written_soon_and_keep_their_order() {
        let (lines, _logging, written) = lines_to_channel();
        for number in 0..1_000 {
            add(&lines, &format!("{number}\n"), false);
        }
        let mut all = vec![];
        while !all.ends_with(b"\n999\n") {
            all.extend(written.recv().expect("the thread writes"));
        }
        let expected: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
        assert_eq!(String::from_utf8(all).expect("text").lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_warning_flushes_the_buffer() {
        let (lines, _logging, written) = lines_to_channel();
        add(&lines, "info\n", false);
        add(&lines, "warning\n", true);
        let all: Vec<u8> = written.try_iter().flatten().collect();
        assert_eq!(all, b"info\nwarning\n", "before the call has returned");
    }

    #[test]
    fn warnings_and_errors_are_written_at_once() {
        let (lines, _logging, written) = lines_to_channel();
        let guard = tracing::subscriber::set_default(tracing_subscriber::fmt().with_writer(lines).finish());
        tracing::warn!("careful");
        assert!(!written.try_iter().collect::<Vec<_>>().is_empty(), "a warning");
        tracing::error!("broken");
        assert!(!written.try_iter().collect::<Vec<_>>().is_empty(), "an error");
        drop(guard);
    }

    #[test]
    fn the_buffer_is_bounded() {
        let (lines, _logging, written) = lines_to_channel();
        // Nothing takes it: the thread waits for a first line.
        lock(&lines.shared.waiting).lines = vec![b'x'; MOST - 1];
        add(&lines, "x", false);
        assert_eq!(written.try_iter().count(), 0, "at the bound");
        add(&lines, "x", false);
        assert_eq!(written.try_iter().flatten().count(), MOST + 1);
    }

    #[test]
    fn buffered_lines_and_later_ones_are_written_at_the_end() {
        let (lines, logging, written) = lines_to_channel();
        add(&lines, "waits\n", false);
        drop(logging);
        add(&lines, "late\n", false);
        let all: Vec<u8> = written.try_iter().flatten().collect();
        assert_eq!(all, b"waits\nlate\n");
    }
}
