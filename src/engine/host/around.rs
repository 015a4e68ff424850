//! The host as the evaluator has it: for calls that come by another way, and for values that go elsewhere.

use std::sync::Arc;

use ecow::EcoString;
use pipit_commands::Stream;
use pipit_grammar::ast::{Redirect, Target};
use pipit_grammar::rule::{Place, Via};

use super::Lent;
use crate::engine::run::Around;
use crate::engine::serve;
use crate::render;

impl Around for Lent {
    fn by(&self, via: Via) -> Arc<dyn Around> {
        Arc::new(Self { via: Some(via), ..self.clone() })
    }

    fn because(&self, reason: EcoString) -> Arc<dyn Around> {
        Arc::new(Self { reason: Some(reason), ..self.clone() })
    }

    fn gathers(&self) -> bool {
        self.host.waits()
    }

    fn redirect(&self, redirect: &Redirect, values: Stream) -> Stream {
        let host = Arc::clone(&self.host);
        let here = |target: &Target| match target {
            Target::Here | Target::Thread => true,
            Target::Me => host.context.place == Place::Dm,
            Target::Room(_) | Target::User(_) | Target::Place { .. } => false,
        };
        let (shown, away): (Vec<Target>, Vec<Target>) = redirect.targets.iter().cloned().partition(here);
        if away.is_empty() {
            return values;
        }
        Stream::later(async move {
            let values = serve::rooms::gather(values).await?;
            let text = render::text(&values);
            for target in &away {
                host.may_post_now(target)?;
                host.posting()?;
                serve::rooms::post(&host, target, &text).await?;
            }
            Ok(if shown.is_empty() { Stream::empty() } else { Stream::of(values) })
        })
    }
}
