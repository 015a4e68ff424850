//! Settings: their layers, their secrets, and what is missing.

use pipit_commands::Origin;

use crate::bundle::check;
use crate::bundle::config::{self, Layer, Spot, settings, show, unset};
use crate::seal::Seals;
use crate::store::Store;

const MANIFEST: &str = "bundle: 1
name: s
version: 1.0.0
description: x
config:
  - {name: TOKEN, secret: true, required: true, about: the token}
  - {name: REGION, default: eu}
  - {name: LEVEL}
commands:
  c: {about: x, run: [./c.sh], rules: [allow]}
";

#[tokio::test]
async fn layers_and_secrets() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path();
    let store = Store::open(path.join("store.db")).unwrap();
    let manifest = check(MANIFEST).unwrap().manifest;
    let seals = Seals::of(path);
    let set = async |layer: Layer, name: &str, value: &str| {
        config::set(&store, &seals, Spot { manifest: &manifest, layer, name, sealed: false }, value, 1).await
    };
    let values = settings(&store, &seals, &manifest);
    let of = |user: &str, room: &str| {
        let origin = Origin { user: user.into(), room: room.into(), ..Origin::default() };
        let found = values(&origin).map_err(|error| error.to_string())?;
        Ok::<_, String>(found.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
    };
    assert_eq!(of("ada", "#ops"), Err("s needs TOKEN, which is not set".into()));
    set(Layer::Base, "TOKEN", "canary-1").await.unwrap();
    assert_eq!(of("ada", "#ops").unwrap(), "TOKEN=canary-1 REGION=eu");
    set(Layer::Room("#ops".into()), "REGION", "us").await.unwrap();
    set(Layer::User("ada".into()), "REGION", "ap").await.unwrap();
    set(Layer::User("ada".into()), "TOKEN", "canary-2").await.unwrap();
    assert_eq!(of("ada", "#ops").unwrap(), "TOKEN=canary-2 REGION=ap");
    assert_eq!(of("bob", "#ops").unwrap(), "TOKEN=canary-1 REGION=us");
    assert_eq!(of("bob", "dm").unwrap(), "TOKEN=canary-1 REGION=eu");

    assert!(set(Layer::Base, "NONE", "x").await.is_err());
    let shown = show(&store, "s").unwrap();
    assert_eq!(shown.len(), 4);
    assert!(shown.iter().all(|one| (one.name == "TOKEN") == one.value.is_none()), "{shown:?}");
    let documents = store.list("bundle-config").unwrap();
    assert!(documents.iter().all(|document| !document.body.contains("canary")));
    unset(&store, "s", &Layer::User("ada".into()), "TOKEN").await.unwrap();
    assert_eq!(of("ada", "#ops").unwrap(), "TOKEN=canary-1 REGION=ap");
    assert!(unset(&store, "s", &Layer::Base, "LEVEL").await.is_err());

    // another key for all of them, and they are what they were
    let before = store.list("bundle-config").unwrap();
    assert_eq!(config::rotate(&store, &seals, |_| Ok(Vec::new())).await.unwrap(), 1);
    assert!(before.iter().zip(store.list("bundle-config").unwrap()).any(|(old, new)| old.body != new.body));
    assert_eq!(of("ada", "#ops").unwrap(), "TOKEN=canary-1 REGION=ap");
    assert_eq!(crate::scrub::text("it said canary-1"), "it said [secret s TOKEN]");

    // with a key that is another's a secret is of no use
    std::fs::write(path.join("config.key"), [7; 32]).unwrap();
    let values = settings(&store, &Seals::of(path), &manifest);
    let error = values(&Origin::default()).unwrap_err().to_string();
    assert!(error.starts_with("a secret cannot be opened"), "{error}");
}
