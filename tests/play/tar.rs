//! Archives entry by entry, as no honest program writes them.

/// The size of a block.
const BLOCK: usize = 512;

/// A file.
pub(crate) fn file(name: &str, content: &str) -> Vec<u8> {
    entry(name, b'0', "", content)
}

/// A symbolic link.
pub(crate) fn link(name: &str, to: &str) -> Vec<u8> {
    entry(name, b'2', to, "")
}

/// A header of PAX that says more of the next entry.
pub(crate) fn extended(records: &str) -> Vec<u8> {
    entry("pax", b'x', "", records)
}

/// The whole of it.
pub(crate) fn archive(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 2 * BLOCK]].concat()
}

fn entry(name: &str, kind: u8, to: &str, content: &str) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(157, to.as_bytes());
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.extend_from_slice(content.as_bytes());
    block.resize(block.len().next_multiple_of(BLOCK), 0);
    block
}
