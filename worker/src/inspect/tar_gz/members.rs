//! The members of a gzip file as one stream. Zeros after the last one are padding, as `gzip` and `tar` take them.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

pub(super) struct Members<R> {
    /// None at the end.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(file: R) -> Self {
        Self { member: Some(GzDecoder::new(file)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(into)?;
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
            let rest = self.member.take().map(GzDecoder::into_inner);
            self.member = rest.map(next_member).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// What follows a member and its padding, if anything does.
fn next_member<R: BufRead>(mut file: R) -> io::Result<Option<GzDecoder<R>>> {
    loop {
        let buffered = file.fill_buf()?;
        if buffered.is_empty() {
            return Ok(None);
        }
        let zeros = buffered.iter().take_while(|byte| **byte == 0).count();
        let is_padding = zeros == buffered.len();
        file.consume(zeros);
        if !is_padding {
            return Ok(Some(GzDecoder::new(file)));
        }
    }
}
