//! What flows between stages: batches of values, pulled; dropping a stream stops its source.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use crate::limits::Held;
use crate::{Error, Value};

/// How many values travel together at most. A source hands on what it has as soon as it would have to wait, so the
/// first row never waits for the last of its batch.
pub const BATCH: usize = 64;

/// Values that travel together: never empty, at most [`BATCH`].
pub type Batch = Vec<Value>;

/// A stream of batches, or the error that ends it.
pub struct Stream(BoxStream<'static, Result<Batch, Error>>);

impl Stream {
    /// No values.
    #[must_use]
    pub fn empty() -> Self {
        Self(stream::empty().boxed())
    }

    /// One value.
    #[must_use]
    pub fn once(value: Value) -> Self {
        Self(Box::pin(Once(Some(value))))
    }

    /// Values that are there already.
    #[must_use]
    pub fn of(values: Vec<Value>) -> Self {
        Self::from_values(values)
    }

    /// Values as an iterator makes them, a batch at a time.
    pub fn from_values<I>(values: I) -> Self
    where
        I: IntoIterator<Item = Value>,
        I::IntoIter: Send + 'static,
    {
        let mut values = values.into_iter();
        Self(
            stream::poll_fn(move |_| {
                let batch: Batch = values.by_ref().take(BATCH).collect();
                Poll::Ready(if batch.is_empty() { None } else { Some(Ok(batch)) })
            })
            .boxed(),
        )
    }

    /// An error and nothing else.
    #[must_use]
    pub fn fail(error: Error) -> Self {
        Self(stream::once(std::future::ready(Err(error))).boxed())
    }

    /// Any stream of batches. Empty batches are passed over.
    pub fn new(batches: impl futures_util::Stream<Item = Result<Batch, Error>> + Send + 'static) -> Self {
        Self(batches.boxed())
    }

    /// The stream that a future comes to.
    pub fn later(future: impl Future<Output = Result<Stream, Error>> + Send + 'static) -> Self {
        Self(
            stream::once(future)
                .flat_map(|made| match made {
                    Ok(stream) => stream.0,
                    Err(error) => Self::fail(error).0,
                })
                .boxed(),
        )
    }

    /// The next batch; none at the end. Nothing comes after an error.
    pub async fn next(&mut self) -> Option<Result<Batch, Error>> {
        loop {
            match self.0.next().await {
                Some(Ok(batch)) if batch.is_empty() => {}
                other => return other,
            }
        }
    }

    /// All values, for commands whose meaning needs all of them; an error when they are more than a line may hold.
    pub async fn collect(mut self) -> Result<Vec<Value>, Error> {
        let (mut all, mut held) = (Vec::new(), Held::default());
        while let Some(batch) = self.next().await {
            let mut batch = batch?;
            batch.iter().try_for_each(|value| held.take(value))?;
            all.append(&mut batch);
        }
        Ok(all)
    }

    /// Every value through a function that appends what comes out. What came out before an error is handed on first.
    #[must_use]
    pub fn lift(self, mut f: impl FnMut(Value, &mut Batch) -> Result<(), Error> + Send + 'static) -> Self {
        let mut source = Some(self);
        let mut failed = None;
        Self::new(stream::poll_fn(move |context| {
            loop {
                if let Some(error) = failed.take() {
                    source = None;
                    return Poll::Ready(Some(Err(error)));
                }
                let Some(from) = source.as_mut() else { return Poll::Ready(None) };
                let batch = match from.0.as_mut().poll_next(context) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(None) => {
                        source = None;
                        return Poll::Ready(None);
                    }
                    Poll::Ready(Some(Err(error))) => {
                        source = None;
                        return Poll::Ready(Some(Err(error)));
                    }
                    Poll::Ready(Some(Ok(batch))) => batch,
                };
                let mut out = Batch::with_capacity(batch.len());
                for value in batch {
                    if let Err(error) = f(value, &mut out) {
                        failed = Some(error);
                        break;
                    }
                }
                if !out.is_empty() {
                    return Poll::Ready(Some(Ok(out)));
                }
            }
        }))
    }

    /// The values for which a test holds, moved within their batch.
    #[must_use]
    pub fn keep(self, mut test: impl FnMut(&Value) -> bool + Send + 'static) -> Self {
        Self::new(self.0.filter_map(move |batch| {
            std::future::ready(match batch {
                Ok(mut batch) => {
                    batch.retain(&mut test);
                    if batch.is_empty() { None } else { Some(Ok(batch)) }
                }
                Err(error) => Some(Err(error)),
            })
        }))
    }

    /// The same stream, with a look at each batch, and at the end when it is a good one.
    pub(crate) fn watch(mut self, mut look: impl FnMut(Option<&[Value]>) + Send + 'static) -> Self {
        Self(
            stream::poll_fn(move |context| {
                let polled = self.0.as_mut().poll_next(context);
                match &polled {
                    Poll::Ready(None) => look(None),
                    Poll::Ready(Some(Ok(batch))) => look(Some(batch)),
                    Poll::Ready(Some(Err(_))) | Poll::Pending => {}
                }
                polled
            })
            .boxed(),
        )
    }

    /// The same stream, telling once how it ended; it tells nothing when it is dropped before.
    pub(crate) fn tell(mut self, told: impl Fn(Option<&Error>) + Send + 'static) -> Self {
        Self(
            stream::poll_fn(move |context| {
                let polled = self.0.as_mut().poll_next(context);
                match &polled {
                    Poll::Ready(None) => told(None),
                    Poll::Ready(Some(Err(error))) => told(Some(error)),
                    Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
                }
                polled
            })
            .boxed(),
        )
    }

    /// Every value through a function with a state, which may append what comes out, and what comes out at the end.
    pub(crate) fn fold<S, F, E>(self, state: S, step: F, end: E) -> Self
    where
        S: Send + 'static,
        F: FnMut(&mut S, Value, &mut Batch) -> Result<(), Error> + Send + 'static,
        E: FnOnce(S) -> Result<Option<Value>, Error> + Send + 'static,
    {
        let turn = Turn::Goes(self, state, step, end);
        Self::new(stream::unfold(turn, |turn| async move {
            let (mut source, mut state, mut step, end) = match turn {
                Turn::Goes(source, state, step, end) => (source, state, step, end),
                Turn::Fails(error) => return Some((Err(error), Turn::Done)),
                Turn::Done => return None,
            };
            loop {
                let batch = match source.next().await {
                    Some(Ok(batch)) => batch,
                    Some(Err(error)) => return Some((Err(error), Turn::Done)),
                    None => {
                        return end(state)
                            .map(|last| last.map(|last| vec![last]))
                            .transpose()
                            .map(|last| (last, Turn::Done));
                    }
                };
                let mut out = Batch::new();
                for value in batch {
                    if let Err(error) = step(&mut state, value, &mut out) {
                        return Some((Ok(out), Turn::Fails(error)));
                    }
                }
                if !out.is_empty() {
                    return Some((Ok(out), Turn::Goes(source, state, step, end)));
                }
            }
        }))
    }

    /// The same stream with a batch in front.
    pub(crate) fn behind(self, first: Batch) -> Self {
        Self::new(stream::once(std::future::ready(Ok(first))).chain(self.0))
    }

    /// The first values; the source is dropped with the last of them.
    pub(crate) fn first(self, count: usize) -> Self {
        let source = (count > 0).then_some(self);
        Self::new(stream::unfold((source, count), |(source, left)| async move {
            let mut source = source?;
            match source.next().await? {
                Err(error) => Some((Err(error), (None, 0))),
                Ok(mut batch) => {
                    batch.truncate(left);
                    let left = left - batch.len();
                    Some((Ok(batch), ((left > 0).then_some(source), left)))
                }
            }
        }))
    }

    /// What a stream over all values comes to, once they are all there.
    #[must_use]
    pub fn gather<F>(self, f: F) -> Self
    where
        F: FnOnce(Vec<Value>) -> Result<Vec<Value>, Error> + Send + 'static,
    {
        Self::later(async move { Ok(Self::of(f(self.collect().await?)?)) })
    }
}

impl futures_util::Stream for Stream {
    type Item = Result<Batch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

/// Where a fold is.
enum Turn<S, F, E> {
    Goes(Stream, S, F, E),
    Fails(Error),
    Done,
}

struct Once(Option<Value>);

impl futures_util::Stream for Once {
    type Item = Result<Batch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(|value| Ok(vec![value])))
    }
}
