//! Archives of any shape: what is taken lies below its folder, and another reader, GNU tar, unpacks the very same files from
//! it. From a seed; `FUZZ_SECONDS=60` runs for so long.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::archives::{Entry, MANIFEST, entry, file, packed, record, tar};
use crate::bundle::{archive, folder};
use crate::mutate::Mutator;

/// How many archives are made, and at how many of those that are taken the other reader looks.
const MADE: usize = 4000;
const COMPARED: usize = 150;

const NAMES: &[&str] = &[
    "a",
    "b",
    "A",
    "a/b",
    "a/b/c",
    "b/",
    "./a",
    "./",
    ".",
    "..",
    "../a",
    "a/../b",
    "/a",
    "//a",
    "a//b",
    "a/./b",
    "a\\b",
    "é",
    "e\u{301}",
    "a b",
    "-a",
    "bundle.yaml",
    "bundle.yaml/a",
    "c/bundle.yaml",
    "c/a",
    ".git/config",
    "\u{202e}a",
    "a\n",
    "",
];
const KINDS: &[u8] = b"000000005512346gxLKSVDA7\0";
const KEYS: &[&str] =
    &["path", "size", "linkpath", "mtime", "comment", "GNU.sparse.name", "SCHILY.realsize", "hdrcharset"];
const VALUES: &[&str] = &["a", "../a", "0", "512", "1700000000.5", "BINARY", "", "/a"];
const MODES: &[&str] = &["0000755", "0000644", "0004755", "0000000", "7777777", "zzzzzzz"];

/// An archive that somebody could have made to deceive.
fn any(mutator: &mut Mutator) -> Vec<u8> {
    let mut entries = vec![file("bundle.yaml", MANIFEST)];
    for _ in 0..mutator.below(5) {
        entries.push(any_entry(mutator));
    }
    if mutator.below(4) == 0 {
        let to = mutator.below(entries.len());
        entries.swap(0, to);
    }
    let mut bytes = tar(&entries);
    if mutator.below(3) == 0 {
        let at = mutator.below(bytes.len());
        bytes[at] ^= 1 << mutator.below(8);
    }
    match mutator.below(12) {
        0 => bytes.truncate(mutator.below(bytes.len())),
        1 => {
            let more = tar(&[any_entry(mutator)]);
            bytes.extend(more);
        }
        2 => bytes = packed(&bytes),
        _ => {}
    }
    bytes
}

fn any_entry(mutator: &mut Mutator) -> Entry {
    let name = NAMES[mutator.below(NAMES.len())];
    let kind = KINDS[mutator.below(KINDS.len())];
    let content = match kind {
        b'x' | b'g' => {
            let text = |_| record(KEYS[mutator.below(KEYS.len())], VALUES[mutator.below(VALUES.len())]);
            (0..2).map(text).collect()
        }
        b'L' | b'K' => format!("{}\0", NAMES[mutator.below(NAMES.len())]),
        b'5' => String::new(),
        _ => "x".repeat(mutator.below(600)),
    };
    let mut made = entry(kind, name, content);
    made.mode = MODES[mutator.below(MODES.len())];
    if mutator.below(8) == 0 {
        made.prefix = ["a", "..", "/", "b/c"][mutator.below(4)];
    }
    if mutator.below(16) == 0 {
        made.size = Some(
            [&b"00000000001"[..], b"00000001000", b"77777777777", b"\x80\0\0\0\0\0\0\0\0\0\0\x05"][mutator.below(4)],
        );
    }
    if mutator.below(16) == 0 {
        made.magic = [b"ustar  \0", b"\0\0\0\0\0\0\0\0"][mutator.below(2)];
    }
    made
}

#[test]
fn archives_of_any_shape() {
    let time = std::env::var("FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    let began = Instant::now();
    let mut mutator = Mutator::new(11, vec![String::new()], &[]);
    let (mut made, mut taken, mut compared) = (0, 0, 0);
    while time.map_or(made < MADE, |time| began.elapsed() < time) {
        let bytes = any(&mut mutator);
        made += 1;
        // one without a manifest is refused later
        let Some(read) = archive::read(&bytes).ok().filter(|read| read.content("bundle.yaml").is_some()) else {
            continue;
        };
        taken += 1;
        let root = tempfile::tempdir().unwrap();
        read.keep(&root.path().join("kept"), "d")
            .unwrap_or_else(|error| panic!("{error}: {:?}", bytes.escape_ascii().to_string()));
        let kept = folder::read(&root.path().join("kept/d")).unwrap().digest();
        assert_eq!(kept, read.digest(), "{}", bytes.escape_ascii());
        let beside: Vec<_> = std::fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(beside, ["kept"], "{}", bytes.escape_ascii());
        if compared < COMPARED || time.is_some() {
            compared += 1;
            assert_eq!(by_another(&bytes, root.path()), kept, "{}", bytes.escape_ascii());
        }
    }
    assert!(taken > made / 40 && compared > 0, "of {made} archives {taken} were taken, which shows nothing");
    if time.is_some() {
        eprintln!("{made} archives, {taken} taken and unpacked by another reader, in {} s", began.elapsed().as_secs());
    }
}

/// The digest of what GNU tar unpacks.
fn by_another(bytes: &[u8], root: &Path) -> String {
    let out = root.join("other");
    std::fs::create_dir(&out).unwrap();
    let packed = if bytes.starts_with(&[0x1f, 0x8b]) { "-xzf" } else { "-xf" };
    let mut tar = Command::new("tar")
        .args([packed, "-", "--no-same-owner", "--no-same-permissions", "--warning=none"])
        .current_dir(&out)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("GNU tar is needed: apt-get install tar");
    tar.stdin.take().unwrap().write_all(bytes).unwrap();
    // it may complain of times and owners, which count for nothing
    tar.wait().unwrap();
    // where one folder is around everything it is left away
    let inside = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
    let manifest = |folder: &std::path::PathBuf| folder.join("bundle.yaml").is_file();
    let folder = std::iter::once(out.clone()).chain(inside).find(manifest).expect("a manifest was taken");
    folder::read(&folder).unwrap().digest()
}
