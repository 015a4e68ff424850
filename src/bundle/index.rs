//! An index: a file with a line for each version of each bundle that a site offers. It can lie on a disk or a web server.
//!
//! ```text
//! {"name": "aws", "version": "1.2.0", "source": "aws-1.2.0.tar.gz", "digest": "…", "about": "Look at and act on AWS"}
//! ```
//!
//! Deliberately absent: reading the file, and the index that the whole world would share.

use pipit_commands::Error;
use serde::Deserialize;
use url::Url;

use super::install::precedence;
use super::manifest::Sandbox;
use super::signature::Key;

/// `[bundles]` of the configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Sources {
    /// Public keys of minisign. When there are any, a bundle that none of them signed is refused.
    #[serde(default)]
    pub(crate) keys: Vec<Key>,
    /// The index: a file or an address of the web.
    pub(crate) index: Option<String>,
    /// How tightly programs are held at least, whatever their manifest says.
    pub(crate) sandbox_at_least: Option<Sandbox>,
    /// The same for bundles that no trusted key has signed.
    pub(crate) unsigned_sandbox_at_least: Option<Sandbox>,
}

impl Sources {
    /// How tightly the programs of a bundle are held at least, by whether it is signed.
    pub(crate) fn least(&self, signed: bool) -> Sandbox {
        let unsigned = self.unsigned_sandbox_at_least.filter(|_| !signed);
        // without a word of the site the manifest's counts alone
        self.sandbox_at_least.max(unsigned).unwrap_or(Sandbox::Basic)
    }
}

/// A version that an index offers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    /// The bundle.
    pub(crate) name: String,
    /// Its version, semver.
    pub(crate) version: String,
    /// Where it is, from where the index is.
    pub(crate) source: String,
    /// What it must be.
    pub(crate) digest: Option<String>,
    /// A sentence.
    #[serde(default)]
    pub(crate) about: String,
}

impl Listed {
    /// The lines of an index.
    pub(crate) fn read(text: &str) -> Result<Vec<Self>, Error> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let read = lines.map(|(number, line)| {
            let odd = |error| Error::failed(format!("the index cannot be read: line {}: {error}", number + 1));
            serde_json::from_str(line).map_err(odd)
        });
        read.collect()
    }

    /// A version of a bundle, else its newest.
    pub(crate) fn find(all: &[Self], name: &str, version: Option<&str>) -> Result<Self, Error> {
        let mut of_name = all.iter().filter(|one| one.name == name);
        let found = match version {
            Some(version) => of_name.rfind(|one| one.version == version),
            None => of_name.max_by(|a, b| precedence(&a.version, &b.version)),
        };
        found.cloned().ok_or_else(|| {
            let version = version.map(|version| format!(" {version}")).unwrap_or_default();
            Error::failed(format!("the index has no bundle {name}{version}")).help("bundle find lists what there is")
        })
    }

    /// Where it is in full.
    pub(crate) fn place(&self, index: &str) -> Result<String, Error> {
        if self.source.contains("://") || self.source.starts_with('/') {
            return Ok(self.source.clone());
        }
        let odd = || Error::failed(format!("{} of the index leads nowhere", self.source));
        if index.contains("://") {
            return Ok(Url::parse(index).and_then(|index| index.join(&self.source)).map_err(|_| odd())?.to_string());
        }
        let folder = std::path::Path::new(index).parent().ok_or_else(odd)?;
        Ok(folder.join(&self.source).display().to_string())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::Listed;

    #[test]
    fn versions_are_found() {
        let lines = ["1.9.0", "1.10.0", "2.0.0-rc.1", "1.2.0"]
            .map(|version| format!(r#"{{"name":"a","version":"{version}","source":"a-{version}.tar.gz"}}"#));
        let all = Listed::read(&format!("# ours\n\n{}\n", lines.join("\n"))).unwrap();
        let found = |version| Listed::find(&all, "a", version).map(|found| found.version);
        assert_eq!(found(None).unwrap(), "2.0.0-rc.1");
        assert_eq!(found(Some("1.9.0")).unwrap(), "1.9.0");
        assert!(found(Some("3.0.0")).is_err() && Listed::find(&all, "b", None).is_err());
        for (index, place) in [
            ("https://h/x/index.jsonl", "https://h/x/a-1.9.0.tar.gz"),
            ("/srv/bundles/index.jsonl", "/srv/bundles/a-1.9.0.tar.gz"),
            ("index.jsonl", "a-1.9.0.tar.gz"),
        ] {
            assert_eq!(all[0].place(index).unwrap(), place);
        }
        for wrong in ["{}", "x", r#"{"name":"a","version":"1","source":"s","more":1}"#] {
            assert!(Listed::read(wrong).unwrap_err().to_string().contains("line 1"));
        }
    }
}
