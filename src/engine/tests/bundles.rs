//! Bundles and what ships: no bundle stands in the place of a command of the shell's own.

use std::collections::BTreeSet;

use pipit_commands::{ErrorKind, built_ins};

use super::Site;
use crate::access::Identity;
use crate::store::{Change, Store};

#[tokio::test]
async fn no_bundle_takes_the_place_of_what_ships() {
    let site = Site::new(&[]).await;
    let source = tempfile::tempdir().unwrap();
    let spaces: BTreeSet<_> = built_ins().iter().map(|command| command.spec().bundle.clone()).collect();
    assert!(spaces.len() > 30 && spaces.contains("secret") && spaces.contains("bundle"), "{spaces:?}");
    let mut kept = Vec::new();
    for space in &spaces {
        let taken = built_ins().into_iter().find(|command| command.spec().bundle == *space).unwrap();
        let command = &taken.spec().name;
        let manifest = format!(
            "bundle: 1\nname: {space}\nversion: 1.0.0\ndescription: x\ncommands:\n  {command}: {{about: x, usage: {command}, \
             run: [./x.sh], rules: [allow]}}\n"
        );
        // what nobody may bring in, and a home that has it all the same
        for folder in [source.path().join(&**space), site.dir.path().join("bundles").join(&**space)] {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("bundle.yaml"), &manifest).unwrap();
            std::fs::write(folder.join("x.sh"), "#!/bin/sh\n").unwrap();
        }
        let line = format!("bundle install {}", source.path().join(&**space).display());
        let heard = site.hears(Identity::Operator, &line).await;
        assert_eq!(heard.end, Some(ErrorKind::Failed), "{line}");
        assert!(heard.text.contains(&format!("the name {space} is reserved")), "{}", heard.text);
        let of = format!(r#""version":"1.0.0","digest":"{space}""#);
        let installed = format!(r#"{{"name":"{space}",{of},"from":"x","at":0}}"#);
        let key = format!("{space}@1.0.0");
        kept.push(Change::Insert { kind: "bundle", key, body: installed });
        let enabled = format!(r#"{{{of},"programs":{{}}}}"#);
        kept.push(Change::Insert { kind: "bundle-enabled", key: space.to_string(), body: enabled });
    }
    Store::open(site.dir.path().join("pipit.db")).unwrap().apply(kept).await.unwrap();
    let site = site.again();
    let world = site.engine.world().unwrap();
    assert_eq!(world.broken.len(), spaces.len());
    assert!(world.catalogue.all().iter().all(|command| command.spec().built_in));
    let listed = site.operator("bundle list").await;
    assert!(listed.contains("enabled, but") && listed.contains("the name secret is reserved"), "{listed}");
    let heard = site.hears(Identity::Operator, "bundle enable secret").await;
    assert!(heard.end == Some(ErrorKind::Failed) && heard.text.contains("is reserved"), "{heard:?}");
}
