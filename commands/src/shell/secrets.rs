//! Rows for secrets: settings of bundles whose values never stand in a line.

use super::Verb;
use super::admin::{admin, look};
use crate::command::Command;
use crate::family::family;
use crate::spec::Flow;

pub(super) fn secrets() -> Vec<Command> {
    let right = "secret:manage";
    family(
        "secret",
        [
            admin(
                "set BUNDLE KEY [--room=ROOM] [--user=USER]",
                "Sets a secret of a bundle; its value comes by standard input or is asked for, and never stands in a line",
                Verb::SecretSet,
                right,
            )
            .flow(Flow::Stream)
            .shows("secret set aws AWS_SECRET_ACCESS_KEY", "in the terminal: pipit secret set aws AWS_SECRET_ACCESS_KEY"),
            admin(
                "rotate BUNDLE KEY [--room=ROOM] [--user=USER]",
                "Gives a secret that is set another value, in the same way",
                Verb::SecretRotate,
                right,
            )
            .flow(Flow::Stream)
            .shows("secret rotate aws AWS_SECRET_ACCESS_KEY", ""),
            look("list [BUNDLE]", "The secrets that are set, and since when; never their values", Verb::SecretList, right)
                .shows("secret list aws", ""),
            admin("remove BUNDLE KEY [--room=ROOM] [--user=USER]", "Takes a secret away", Verb::SecretRemove, right)
                .shows("secret remove aws AWS_SECRET_ACCESS_KEY", ""),
            admin("rotate-key", "Seals all secrets anew, with another key", Verb::SecretRotateKey, right),
        ],
    )
}
