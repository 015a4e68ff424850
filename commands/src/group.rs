//! `group`: the values of a stream by what stands at their keys. Deliberately absent: an order; groups stand as their first
//! values came.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};

use ecow::EcoVec;
use hashbrown::HashTable;

use crate::command::Call;
use crate::key::{Key, Meaning};
use crate::limits::Held;
use crate::stream::Stream;
use crate::value::Record;
use crate::{Error, Value};

/// What a missing key counts as.
const MISSING: &Value = &Value::Null;

/// `group KEY… [--count]`. With `--count` the values are counted and forgotten, so that a stream of any length fits.
pub(crate) fn group(call: Call, mut input: Stream) -> Result<Stream, Error> {
    let keys = Key::read_all(call.all("KEY"))?;
    let counts = call.flag("count");
    Ok(Stream::later(async move {
        let mut groups = Groups::new(keys);
        let mut held = Held::default();
        while let Some(batch) = input.next().await {
            for value in batch? {
                let group = groups.of(&value, &mut held)?;
                group.count += 1;
                if !counts {
                    held.take(&value)?;
                    group.rows.push(value);
                }
            }
        }
        let Groups { keys, all, .. } = groups;
        Ok(Stream::from_values(all.into_iter().map(move |group| {
            let mut record: Record = keys.iter().map(|key| key.name.clone()).zip(group.by).collect();
            record.put("count", group.count);
            if !counts {
                record.put("rows", Value::List(group.rows));
            }
            Value::Record(record)
        })))
    }))
}

struct Group {
    by: Vec<Value>,
    count: usize,
    rows: EcoVec<Value>,
}

/// The groups in the order in which they came, and a table that finds them by their keys, of which it has no copy.
struct Groups {
    keys: Vec<Key>,
    all: Vec<Group>,
    places: HashTable<usize>,
    state: RandomState,
}

impl Groups {
    fn new(keys: Vec<Key>) -> Self {
        Self { keys, all: Vec::new(), places: HashTable::new(), state: RandomState::new() }
    }

    /// The group that a value belongs to.
    fn of(&mut self, value: &Value, held: &mut Held) -> Result<&mut Group, Error> {
        let Self { keys, all, places, state } = self;
        let by = || keys.iter().map(|key| key.of(value).unwrap_or(MISSING));
        let hashed = |by: &mut dyn Iterator<Item = &Value>| {
            let mut hasher = state.build_hasher();
            by.for_each(|value| Meaning(value).hash(&mut hasher));
            hasher.finish()
        };
        let hash = hashed(&mut by());
        let is_it = |at: &usize| all.get(*at).is_some_and(|group| group.by.iter().eq(by()));
        let at = if let Some(at) = places.find(hash, is_it) {
            *at
        } else {
            by().try_for_each(|value| held.take(value))?;
            let at = all.len();
            places.insert_unique(hash, at, |at| all.get(*at).map_or(0, |group| hashed(&mut group.by.iter())));
            all.push(Group { by: by().cloned().collect(), count: 0, rows: EcoVec::new() });
            at
        };
        all.get_mut(at).ok_or_else(|| Error::failed("a group was lost"))
    }
}
