//! Sources that never wait, made to wait for their turn.

use pipit_commands::Stream;

/// A source that lets others have their turn: one that never waits would otherwise keep its thread, and could not even be
/// stopped.
pub(super) fn fair(mut source: Stream) -> Stream {
    use futures_util::StreamExt as _;
    Stream::new(futures_util::stream::poll_fn(move |context| {
        let turn = std::task::ready!(tokio::task::coop::poll_proceed(context));
        let polled = source.poll_next_unpin(context);
        if polled.is_ready() {
            turn.made_progress();
        }
        polled
    }))
}
