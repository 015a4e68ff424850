//! The rules of the site for whoever has the home: listed and deleted judged by nobody, so that no rule shuts out for good
//! those who could undo it. It is written down like a line.
//!
//! Deliberately absent: making rules, which is judged everywhere.

use std::collections::BTreeMap;
use std::time::Instant;

use ecow::EcoString;
use pipit_commands::Error;

use super::serve::{self, stored};
use super::world::{KeptRule, kind};
use super::{Engine, now, unavailable};
use crate::audit::{Asked, Ended, Outcome, Status, Verdict};
use crate::store::{Change, Expect};

impl Engine {
    /// The rules of the site as they are kept, by id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn site_rules(&self) -> Result<BTreeMap<EcoString, String>, Error> {
        let documents = self.0.store.list(kind::RULE).map_err(unavailable)?;
        // one that cannot be read is shown as it lies there: it is what somebody came to delete
        let text = |body: String| serde_json::from_str::<KeptRule>(&body).map_or(body, |rule| rule.text);
        Ok(documents.into_iter().map(|document| (document.key.into(), text(document.body))).collect())
    }

    /// Deletes a rule of the site, whatever the rules say, and comes back with what it said. The log has the rule before it
    /// is gone.
    ///
    /// # Errors
    /// When there is none, and when it cannot be written down.
    pub(crate) async fn delete_site_rule(&self, id: &str) -> Result<String, Error> {
        let began = Instant::now();
        let line = format!("pipit rule delete {id}");
        let asked = Asked { at: now(), who: "operator", via: "shell", room: "", text: &line, cause: None };
        let ticket = self.0.audit.open(asked).await.map_err(unavailable)?;
        let there = self.site_rules()?.remove(id);
        let deleted = match there {
            Some(rule) => self.deleted(ticket.trail(), id, &rule).await.map(|()| rule),
            None => Err(Error::failed(format!("there is no rule {id} of the site")).help("pipit rule list shows them")),
        };
        let (status, message) = match &deleted {
            Ok(_) => (Status::Ok, String::new()),
            Err(error) => (Status::Failed, error.message().to_owned()),
        };
        let values = u64::from(deleted.is_ok());
        let outcome = Outcome { at: now(), status, message: &message, took: began.elapsed(), values };
        ticket.close(&outcome).durable().await.map_err(unavailable)?;
        deleted
    }

    async fn deleted(&self, trail: &crate::audit::Trail, id: &str, rule: &str) -> Result<(), Error> {
        const COMMAND: &str = "rule:delete";
        let args = serde_json::json!({ "ID": id, "rule": rule }).to_string();
        let judged = "judged by nobody: by whoever has the home";
        trail.verdict(&Verdict { at: now(), command: COMMAND, args: &args, allowed: true, rule: judged });
        let intent = trail.intent(now(), COMMAND, &args).await.map_err(unavailable)?;
        let gone = Change::Delete { kind: kind::RULE, key: id.to_owned(), expect: Expect::Present };
        match self.0.store.apply(vec![gone, serve::rules_changed(self, trail.id())?]).await {
            Ok(()) => {
                intent.ended(now(), Ended::Done, "");
                Ok(())
            }
            Err(error) => {
                let message = error.to_string();
                intent.ended(now(), Ended::Failed, &message);
                Err(stored(error))
            }
        }
    }
}
