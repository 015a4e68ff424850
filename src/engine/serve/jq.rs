//! `jq`: the values that a program in the jq language makes of others. Deliberately absent: the language (the commands
//! have it) and the process it runs in (the bundles do).

use pipit_commands::{Call, Error, Stream};

use super::{Host, text};
use crate::bundle;

pub(super) async fn jq(host: &Host, call: &Call, input: Option<Stream>) -> Result<Stream, Error> {
    let program = text(call, "PROGRAM")?;
    let inner = &host.engine.0;
    let runner = inner.bundles.runner(&inner.home)?;
    bundle::confined::run(bundle::confined::Work::Jq, &runner, call, &program, input.unwrap_or_else(Stream::empty))
        .await
}
