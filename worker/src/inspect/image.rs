//! Finds the dimensions that an image's header declares.
//! Decodes no pixel and allocates nothing by what the file declares, however large that is.

use std::{
    fmt::Display,
    io::{self, BufRead, BufReader, Read, Seek},
};

use domain::upload::Facts;
use image::{ImageError, ImageFormat, ImageReader, ImageResult};

use super::{Limits, disk::Disk, flaw::Flaw};

pub(super) fn facts(disk: &mut Disk<'_>, format: ImageFormat, limits: &Limits) -> Result<Facts, Flaw> {
    disk.rewind().map_err(broken)?;
    let found = match format {
        ImageFormat::Jpeg => dimensions(io::Cursor::new(beginning(disk, limits)?), format, limits),
        _ => dimensions(BufReader::new(&mut *disk), format, limits),
    };
    match found {
        // It declares more than the decoder may reserve for a row; its header has been read and checked by then.
        Err(ImageError::Limits(_)) if format == ImageFormat::Png => declared_by_png(disk).map_err(broken),
        found => found.map(|(width, height)| Facts::Image { width, height }).map_err(broken),
    }
}

/// What the JPEG decoder gets to see: it reads all that it is given into memory before it looks at the header.
fn beginning(disk: &mut Disk<'_>, limits: &Limits) -> Result<Vec<u8>, Flaw> {
    let mut bytes = Vec::new();
    disk.take(limits.image_header_bytes).read_to_end(&mut bytes).map_err(broken)?;
    Ok(bytes)
}

fn dimensions(source: impl BufRead + Seek, format: ImageFormat, limits: &Limits) -> ImageResult<(u32, u32)> {
    let mut memory = image::Limits::no_limits();
    memory.max_alloc = Some(limits.image_header_bytes);
    let mut reader = ImageReader::with_format(source, format);
    reader.limits(memory);
    reader.into_dimensions()
}

/// Behind the signature and the first chunk's length and name.
const PNG_DIMENSIONS_AT: u64 = 16;

fn declared_by_png(disk: &mut Disk<'_>) -> io::Result<Facts> {
    let (mut width, mut height) = ([0; 4], [0; 4]);
    disk.read_at(PNG_DIMENSIONS_AT, &mut width)?;
    disk.read_exact(&mut height)?;
    Ok(Facts::Image { width: u32::from_be_bytes(width), height: u32::from_be_bytes(height) })
}

fn broken(why: impl Display) -> Flaw {
    Flaw::broken("image", why)
}

#[cfg(test)]
mod tests {
    use std::{io::Write, time::Duration};

    use image::{DynamicImage, RgbImage};

    use super::*;

    const FORMATS: [ImageFormat; 4] =
        [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let mut bytes = io::Cursor::new(Vec::new());
        DynamicImage::from(RgbImage::new(7, 3)).write_to(&mut bytes, format).expect("encoded");
        bytes.into_inner()
    }

    fn looked_at(content: &[u8], format: ImageFormat, limits: &Limits) -> Result<Facts, Flaw> {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(content).expect("written");
        facts(&mut Disk::new(&mut file, Duration::from_secs(60)), format, limits)
    }

    /// A PNG that declares any size and holds next to nothing.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = encoded(ImageFormat::Png);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let mut checksum = flate2::Crc::new();
        checksum.update(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
        bytes
    }

    #[test]
    fn every_format_shows_its_dimensions() {
        for format in FORMATS {
            let seen = looked_at(&encoded(format), format, &Limits::default());
            assert_eq!(seen, Ok(Facts::Image { width: 7, height: 3 }), "{format:?}");
        }
    }

    #[test]
    fn absurd_dimensions_are_facts_and_cost_no_memory() {
        let tight = Limits { image_header_bytes: 1 << 16, ..Limits::default() };
        for (width, height) in [(1_000_000, 1_000_000), (0x7fff_ffff, 1), (0x7fff_ffff, 0x7fff_ffff)] {
            let seen = looked_at(&png(width, height), ImageFormat::Png, &tight);
            assert_eq!(seen, Ok(Facts::Image { width, height }));
        }
    }

    #[test]
    fn a_broken_image_is_a_flaw_wherever_its_header_ends() {
        for format in FORMATS {
            let whole = encoded(format);
            for end in [3, 8, 12, 16] {
                let seen = looked_at(&whole[..end], format, &Limits::default());
                assert!(matches!(seen, Err(Flaw::Broken { what: "image", .. })), "{format:?} {end} {seen:?}");
            }
        }
        assert!(looked_at(&png(0, 5), ImageFormat::Png, &Limits::default()).is_err());
    }

    #[test]
    fn a_jpeg_is_searched_up_to_the_limit_and_no_further() {
        let whole = encoded(ImageFormat::Jpeg);
        let scan = whole.windows(2).position(|pair| pair == [0xff, 0xda]).expect("a scan");
        let scan_end = scan as u64 + 2 + u64::from(whole[scan + 3]);
        let looked_at = |bytes| {
            let limits = Limits { image_header_bytes: bytes, ..Limits::default() };
            looked_at(&whole, ImageFormat::Jpeg, &limits)
        };
        assert!(looked_at(scan_end).is_ok());
        assert!(looked_at(scan as u64 / 2).is_err());
    }
}
