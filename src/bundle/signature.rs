//! Who made an archive: its signature, as minisign makes them, against the keys that the site trusts.
//!
//! Deliberately absent: making signatures, and what follows when there is none.

use minisign_verify::{PublicKey, Signature};
use pipit_commands::Error;
use serde::Deserialize;

/// A key that the site trusts: the line of letters that `minisign -G` prints.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Key {
    text: String,
    key: PublicKey,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let key = PublicKey::from_base64(text.trim()).map_err(|_| format!("{text:?} is no public key of minisign"))?;
        Ok(Self { text: text.trim().to_owned(), key })
    }
}

/// The trusted key that signed these bytes. An error when the signature is none, of another key, or of other bytes.
pub(super) fn signer(bytes: &[u8], signature: &str, keys: &[Key]) -> Result<String, Error> {
    let signature = Signature::decode(signature).map_err(|_| Error::failed("the signature is none of minisign's"))?;
    // only what was hashed first: the older form needs the whole archive at once and is out of use
    let signer = keys.iter().find(|key| key.key.verify(bytes, &signature, false).is_ok());
    let signer = signer.ok_or_else(|| {
        Error::failed("the signature is not of these bytes by a key that the site trusts")
            .help("the trusted keys stand under [bundles] in pipit.toml")
    })?;
    Ok(signer.text.clone())
}
