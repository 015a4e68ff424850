//! Archives: those that every packer makes are taken, those that somebody made to deceive are not.

use std::io::Write as _;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::bundle::archive::read;

pub(super) const MANIFEST: &str =
    "bundle: 1\nname: b\nversion: 1.0.0\ndescription: d\ncommands: {c: {about: a, run: [./c]}}\n";

/// An entry of a tar archive, with whatever a test wants to be wrong about it.
#[derive(Clone)]
pub(super) struct Entry {
    name: Vec<u8>,
    pub(super) prefix: &'static str,
    kind: u8,
    pub(super) mode: &'static str,
    pub(super) size: Option<&'static [u8]>,
    pub(super) magic: &'static [u8; 8],
    content: Vec<u8>,
    sum: u64,
}

pub(super) fn entry(kind: u8, name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Entry {
    Entry {
        name: name.as_ref().to_vec(),
        prefix: "",
        kind,
        mode: "0000755",
        size: None,
        magic: b"ustar\x0000",
        content: content.as_ref().to_vec(),
        sum: 0,
    }
}

pub(super) fn file(name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Entry {
    entry(b'0', name, content)
}

/// A record of an extended head.
pub(super) fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let length = (1..9).find(|digits| (rest.len() + digits).to_string().len() == *digits).unwrap() + rest.len();
    format!("{length}{rest}")
}

impl Entry {
    fn bytes(&self) -> Vec<u8> {
        let mut head = [0_u8; 512];
        let mut put = |at: usize, bytes: &[u8]| head[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &self.name);
        put(100, self.mode.as_bytes());
        put(124, self.size.unwrap_or(format!("{:011o}", self.content.len()).as_bytes()));
        put(148, b"        ");
        put(156, &[self.kind]);
        put(257, self.magic);
        put(345, self.prefix.as_bytes());
        let sum = head.iter().map(|byte| u64::from(*byte)).sum::<u64>() + self.sum;
        head[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        let mut all = head.to_vec();
        all.extend(&self.content);
        all.resize(all.len().next_multiple_of(512), 0);
        all
    }
}

pub(super) fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut all: Vec<u8> = entries.iter().flat_map(Entry::bytes).collect();
    all.extend([0; 1024]);
    all
}

pub(super) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A bundle with one more entry.
fn with(more: &[Entry]) -> Vec<u8> {
    tar(&[&[file("bundle.yaml", MANIFEST), file("c", "#!/bin/sh\n")], more].concat())
}

#[test]
fn what_deceives_is_refused() {
    let pax = |records: &[(&str, &str)]| {
        let text: String = records.iter().map(|(key, value)| record(key, value)).collect();
        entry(b'x', "head", text)
    };
    let global = |key: &str, value: &str| entry(b'g', "head", record(key, value));
    let long = |name: &str| entry(b'L', "././@LongLink", format!("{name}\0"));
    let folder = |name: &str| entry(b'5', name, "");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        // ways out
        ("a path upwards", with(&[file("../x", "x")])),
        ("a path upwards inside", with(&[file("a/../../x", "x")])),
        ("a path from the root", with(&[file("/etc/x", "x")])),
        ("a path with a blank part", with(&[file("a//x", "x")])),
        ("a path with a dot part", with(&[file("a/./x", "x")])),
        ("a path of another system", with(&[file("..\\x", "x")])),
        ("a prefix that leads up", with(&[Entry { prefix: "..", ..file("x", "x") }])),
        ("an extended path upwards", with(&[pax(&[("path", "../x")]), file("x", "x")])),
        ("a long name upwards", with(&[long("../x"), file("x", "x")])),
        ("a folder upwards", with(&[folder("../")])),
        // what is no file
        ("a symbolic link", with(&[entry(b'2', "x", "")])),
        ("a hard link", with(&[entry(b'1', "x", "")])),
        ("a device", with(&[entry(b'3', "x", "")])),
        ("a pipe", with(&[entry(b'6', "x", "")])),
        ("a sparse file", with(&[entry(b'S', "x", "")])),
        ("a file of an old kind", with(&[entry(b'7', "x", "x")])),
        ("a link by an extended head", with(&[pax(&[("linkpath", "/etc/passwd")]), file("x", "")])),
        // what two readers see otherwise
        ("a size that is said twice", with(&[pax(&[("size", "0")]), file("x", "hidden")])),
        ("a size for all", with(&[global("size", "0"), file("x", "hidden")])),
        ("a path for all", with(&[global("path", "y"), file("x", "x")])),
        ("a path that is said twice", with(&[pax(&[("path", "a"), ("path", "b")]), file("x", "x")])),
        ("two names for one", with(&[long("a"), pax(&[("path", "b")]), file("x", "x")])),
        ("a name for nothing", with(&[long("a")])),
        ("a size in another base", with(&[Entry { size: Some(b"\x80\0\0\0\0\0\0\0\0\0\0\x01"), ..file("x", "x") }])),
        ("a size below nothing", with(&[Entry { size: Some(b"-0000000001"), ..file("x", "x") }])),
        ("a size beyond all", with(&[Entry { size: Some(b"77777777777"), ..file("x", "x") }])),
        ("a wrong check sum", with(&[Entry { sum: 1, ..file("x", "x") }])),
        ("bytes behind a name", with(&[file(b"a\0../../x", "x")])),
        ("fields of gnu's own", with(&[Entry { magic: b"ustar  \0", prefix: "12345", ..file("x", "x") }])),
        ("no format that is known", with(&[Entry { magic: b"\0\0\0\0\0\0\0\0", ..file("x", "x") }])),
        ("another archive behind the end", [with(&[]), with(&[file("x", "x")])].concat()),
        ("another packed part", [packed(&with(&[])), packed(&with(&[file("x", "x")]))].concat()),
        ("something behind the packed part", [packed(&with(&[])), b"x".to_vec()].concat()),
        ("an end that is missing", with(&[])[..1024].to_vec()),
        ("a content that breaks off", tar(&[file("bundle.yaml", MANIFEST)])[..600].to_vec()),
        // one file for another
        ("a file twice", with(&[file("c", "other")])),
        ("a file twice for some systems", with(&[file("C", "other")])),
        ("a manifest twice", with(&[file("Bundle.YAML", MANIFEST)])),
        ("a file in a file", with(&[file("c/x", "x")])),
        ("a folder where a file is", with(&[folder("c/x")])),
        ("a folder with content", with(&[entry(b'5', "x", "x")])),
        ("a name in two pieces of a letter", with(&[file("e\u{301}", "x")])),
        ("a name that is no text", with(&[file([b'a', 0xff], "x")])),
        ("a name that turns the line", with(&[file("a\nb", "x")])),
        ("a name that is too long", with(&[long(&"a".repeat(300)), file("x", "x")])),
        ("a path that is too deep", with(&[long(&"a/".repeat(40)), file("x", "x")])),
        // too much
        ("too many files", with(&(0..2100).map(|n| file(format!("f{n}"), "")).collect::<Vec<_>>())),
        ("a file that is too large", packed(&with(&[file("x", vec![0; (16 << 20) + 1])]))),
        ("a bomb", packed(&vec![0; 100 << 20])),
        ("too much of all", {
            packed(&with(&(0..5).map(|n| file(format!("f{n}"), vec![n; 15 << 20])).collect::<Vec<_>>()))
        }),
        ("no archive", b"PK\x03\x04".to_vec()),
        ("nothing", Vec::new()),
    ];
    assert!(read(&with(&[])).is_ok() && read(&packed(&with(&[]))).is_ok());
    for (what, bytes) in cases {
        let Err(error) = read(&bytes) else { panic!("{what} was taken") };
        assert!(error.to_string().starts_with("the archive is refused: "), "{what}: {error}");
    }
}

#[test]
fn a_changed_byte_is_another_archive_or_none() {
    let sound = with(&[file("d/e", "text")]);
    let digest = read(&sound).unwrap().digest();
    for at in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x11;
        assert!(read(&bytes).map_or(true, |read| read.digest() != digest), "byte {at}");
    }
}

#[test]
fn what_packers_make_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let outer = folder.path().join("b-1.0.0");
    std::fs::create_dir_all(outer.join("lib/deep")).unwrap();
    for (name, text) in [("bundle.yaml", MANIFEST), ("c", "#!/bin/sh\n"), ("lib/deep/é.txt", "x")] {
        std::fs::write(outer.join(name), text).unwrap();
    }
    let long = format!("lib/{}.txt", "n".repeat(150));
    std::fs::write(outer.join(&long), "x").unwrap();
    let run = |line: &str| {
        let said = Command::new("sh").args(["-ec", line]).current_dir(folder.path()).output().unwrap();
        assert!(said.status.success(), "{line}: {}", String::from_utf8_lossy(&said.stderr));
        said.stdout
    };
    run("chmod 755 b-1.0.0/c");
    let digest = crate::bundle::folder::read(&outer).unwrap().digest();
    for line in [
        "tar --format=gnu -c b-1.0.0",
        "tar --format=pax -c b-1.0.0",
        "tar --format=gnu -C b-1.0.0 -cz .",
        "tar --format=pax -C b-1.0.0 -cz .",
        "cd b-1.0.0 && tar --format=gnu -c *",
        "python3 -c \"import tarfile,sys; t = tarfile.open(fileobj=sys.stdout.buffer, mode='w|gz'); t.add('b-1.0.0'); t.close()\"",
        "cd b-1.0.0 && git init -q . && git add . && git -c user.name=a -c user.email=a@b commit -qm a && git archive HEAD",
        "git -C b-1.0.0 archive --prefix=b-1.0.0/ HEAD",
    ] {
        let bytes = run(line);
        let read = read(&bytes).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(read.digest(), digest, "{line}");
    }
}
