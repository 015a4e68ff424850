//! What the site says of a bundle of Cog's in place of its manifest, which cannot: where its programs connect to, what they
//! write, and how tightly they are held. It is kept with what is enabled, and holds for every version of the bundle.

use ecow::EcoString;
use pipit_commands::Error;
use serde::{Deserialize, Serialize};

use super::check::is_endpoint;
use super::manifest::{Format, Manifest, Sandbox};

/// What the site lends to a bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lent {
    /// `host:port`, as `needs.network` has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<EcoString>,
    /// Paths, as `needs.write` has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<EcoString>,
    /// How tightly its programs are held; as every bundle when nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Sandbox>,
}

impl Lent {
    /// Whether the site says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses what cannot be lent, or not to this bundle.
    pub(super) fn check(&self, manifest: &Manifest) -> Result<(), Error> {
        let name = &manifest.name;
        if manifest.format == Format::Own {
            return Err(Error::failed(format!("the manifest of {name} says itself what it needs"))
                .help("change it there, raise the version, install it and enable it"));
        }
        match self.network.iter().find(|endpoint| !is_endpoint(endpoint)) {
            None => Ok(()),
            Some(odd) => Err(Error::failed(format!("{odd:?} is no address"))
                .help("an address is host:port or *.host:port, as in *.amazonaws.com:443")),
        }
    }

    /// The manifest with what is lent to it.
    pub(super) fn to(&self, mut manifest: Manifest) -> Manifest {
        if manifest.format != Format::Own {
            manifest.needs.network.extend(self.network.iter().cloned());
            manifest.needs.write.extend(self.write.iter().cloned());
            manifest.needs.sandbox = self.sandbox.unwrap_or(manifest.needs.sandbox);
        }
        manifest
    }
}
