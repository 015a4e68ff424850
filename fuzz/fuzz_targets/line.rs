//! Any bytes as a typed line: no panic; a line that is read prints a line that is read alike and prints the same; a line
//! that is refused can be shown. See `README.md` for what this proves.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pipit_grammar::{limits, parse, parse_alias, parse_path};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for read in [parse, parse_alias] {
        match read(text) {
            Ok(tree) => {
                let printed = tree.to_string();
                // a canonical line may be longer than the limit, for it writes some letters as escapes
                if printed.len() <= limits::LINE_BYTES {
                    let again = read(&printed).unwrap_or_else(|error| panic!("{}", error.show(&printed)));
                    assert_eq!(again.to_string(), printed);
                }
            }
            Err(error) => assert!(error.show(text).starts_with("error: ")),
        }
    }
    if let Ok(path) = parse_path(text) {
        assert_eq!(parse_path(&path.to_string()).as_ref(), Ok(&path));
    }
});
