//! Bundles: installed, enabled, shown.
use pipit_commands::{Call, Error, Value};
use super::Host;
pub(super) async fn install(_: &Host, _: &Call) -> Result<Vec<Value>, Error> { Ok(vec![]) }
pub(super) async fn enable(_: &Host, _: &Call) -> Result<Vec<Value>, Error> { Ok(vec![]) }
pub(super) async fn disable(_: &Host, _: &Call) -> Result<Vec<Value>, Error> { Ok(vec![]) }
pub(super) async fn remove(_: &Host, _: &Call) -> Result<Vec<Value>, Error> { Ok(vec![]) }
pub(super) fn list(_: &Host) -> Result<Vec<Value>, Error> { Ok(vec![]) }
pub(super) fn show(_: &Host, _: &Call) -> Result<Vec<Value>, Error> { Ok(vec![]) }
