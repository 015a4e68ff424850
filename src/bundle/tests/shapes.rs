//! Manifests of any shape: the check never panics, and says something of what it refuses. From a seed; `FUZZ_SECONDS=60` runs
//! for so long.

use crate::bundle::check;
use crate::mutate::{Mutator, rows, run};

const MARKS: &[&str] = &[
    "bundle: 1\n",
    "name: a\n",
    "version: \"1.0.0\"\n",
    "description: x\n",
    "commands:\n",
    "  hi:\n",
    "    about: x\n",
    "    run: [\"./x\"]\n",
    "    rules: [allow]\n",
    "    usage: \"hi [A]… [--b=C]\"\n",
    "    params: {A: {type: int, from-input: true}}\n",
    "needs: {network: [\"a:1\"]}\n",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "- ",
    "\n",
    "  ",
    "&a ",
    "*a",
    "!!str ",
    "---\n",
    "? ",
    "|\n",
    "'",
    "\"",
    "null",
    "~",
    "1e400",
    "0x1f",
    "when command is a:hi allow",
    "{{ x }}",
    "{% for",
    "output: {json: \"$..a\"}\n",
    "templates: {t: \"{{ a }}\"}\n",
    "timeout: 30s\n",
    "cog_bundle_version: 4\n",
    "permissions: [a]\n",
    "config: [{name: A}]\n",
];

#[test]
fn manifests_of_any_shape() {
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/conformance/bundle_config.jsonl");
    let mut corpus = [rows(shared, "config"), rows(shared, "text")].concat();
    for bundle in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/bundles")).unwrap().flatten() {
        corpus.extend(std::fs::read_to_string(bundle.path().join("bundle.yaml")));
    }
    run(3000, Mutator::new(9, corpus, MARKS), |text| {
        if let Err(faults) = check(text) {
            assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.to_string().is_empty()));
        }
    });
}
