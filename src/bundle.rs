//! Bundles.
pub(crate) fn enabled(_: &std::path::Path, _: &crate::store::Store) -> Result<Vec<pipit_commands::Command>, pipit_commands::Error> { Ok(Vec::new()) }
pub(crate) fn permissions(_: &crate::store::Store) -> Option<Vec<ecow::EcoString>> { None }
pub(crate) fn report(_: &str) -> std::process::ExitCode { std::process::ExitCode::from(2) }
pub(crate) fn doctor(_: &crate::store::Store) -> Vec<(String, Result<String, String>)> { Vec::new() }
