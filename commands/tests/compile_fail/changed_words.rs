//! What was judged is what runs: the arguments of a call cannot be changed any more.
use pipit_commands::{Args, Call};

fn around(mut call: Call, other: Args) -> Call {
    call.args = other;
    call
}

fn borrowed(call: &Call) {
    call.args().params.clear();
}

fn main() {}
