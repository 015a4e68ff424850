//! A call for other arguments is only there when it was allowed: there is no call in a refusal.
use pipit_commands::{Args, Call, Stream};

fn around(call: Call, other: Args) -> Stream {
    call.again(other).run(None)
}

fn main() {}
