//! Zip archives that only store: images and videos are compressed already.

use flate2::Crc;

/// Stored, and needs version 2.0 to be unpacked.
const VERSION: u16 = 20;
/// The earliest date of the format, 1980-01-01, so that the same content is the same archive.
const DATE: u16 = (1 << 5) | 1;

/// An archive of the entries, by name.
///
/// # Panics
///
/// Beyond 4 GiB or 65535 entries, which the simulator never holds.
pub(crate) fn archive<'a>(entries: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    let mut count: u16 = 0;
    for (name, content) in entries {
        let offset = small(archive.len());
        let about = about(name, content);
        archive.extend_from_slice(b"PK\x03\x04");
        archive.extend_from_slice(&about);
        archive.extend_from_slice(name.as_bytes());
        archive.extend_from_slice(content);

        directory.extend_from_slice(b"PK\x01\x02");
        directory.extend_from_slice(&VERSION.to_le_bytes());
        directory.extend_from_slice(&about);
        // No comment, first disk, no attributes.
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
        count += 1;
    }
    let start = small(archive.len());
    let size = small(directory.len());
    archive.append(&mut directory);
    archive.extend_from_slice(b"PK\x05\x06");
    // This disk and the directory's are the first.
    archive.extend_from_slice(&[0; 4]);
    archive.extend_from_slice(&count.to_le_bytes());
    archive.extend_from_slice(&count.to_le_bytes());
    archive.extend_from_slice(&size.to_le_bytes());
    archive.extend_from_slice(&start.to_le_bytes());
    // No comment.
    archive.extend_from_slice(&[0; 2]);
    archive
}

/// What stands both before an entry and in the directory.
fn about(name: &str, content: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(content);
    let size = small(content.len());
    let length = u16::try_from(name.len()).expect("names are short");
    let mut about = Vec::new();
    about.extend_from_slice(&VERSION.to_le_bytes());
    // No flags, method 0 (stored), midnight.
    about.extend_from_slice(&[0; 6]);
    about.extend_from_slice(&DATE.to_le_bytes());
    about.extend_from_slice(&crc.sum().to_le_bytes());
    about.extend_from_slice(&size.to_le_bytes());
    about.extend_from_slice(&size.to_le_bytes());
    about.extend_from_slice(&length.to_le_bytes());
    // No extra field.
    about.extend_from_slice(&[0; 2]);
    about
}

fn small(size: usize) -> u32 {
    u32::try_from(size).expect("what the simulator holds is small")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_is_what_the_format_asks_for_to_the_byte() {
        let archive = archive([("a.txt", b"123456789".as_slice())]);

        let entry = 30 + "a.txt".len() + 9;
        let directory = 46 + "a.txt".len();
        assert_eq!(archive.len(), entry + directory + 22);
        // The check value of CRC-32.
        assert_eq!(archive[14..18], 0xCBF4_3926_u32.to_le_bytes());
        assert_eq!(&archive[30..44], b"a.txt123456789");
        assert_eq!(&archive[entry..entry + 4], b"PK\x01\x02");
        let end = &archive[entry + directory..];
        assert_eq!(&end[..4], b"PK\x05\x06");
        assert_eq!(end[8..12], [1, 0, 1, 0]);
        assert_eq!(end[16..20], u32::try_from(entry).unwrap().to_le_bytes());
    }
}
