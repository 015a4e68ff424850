//! Whether a plan is still what it was: decided in full again, by the rules, rights and bundles as they are now.

use std::sync::Arc;

use pipit_commands::{Args, Command, Error, Labels};

use crate::access::approval::{self, Plan};
use crate::access::decide::Decision;
use crate::access::{Context, objection};
use crate::engine::Engine;
use crate::engine::host::{Lent, LineHost};
use crate::engine::planner::Planner;
use crate::engine::recall::Recalled;
use crate::engine::world::World;

/// What of a plan has changed; nothing when it stands.
pub(super) fn changed(host: &Arc<LineHost>, world: &Arc<World>, plan: &Plan) -> Result<Option<String>, Error> {
    let name = &plan.who.name;
    let subject = match world.policy.subject(&plan.who.identity()) {
        Ok(subject) if subject.owner() == Some(name) => subject,
        Ok(_) | Err(_) => return Ok(Some(format!("{name} is not known by the account that asked"))),
    };
    for call in &plan.calls {
        let bundle = call.command.split(':').next().unwrap_or_default();
        if host.engine.digest_of(bundle) != call.digest {
            return Ok(Some(format!("the bundle {bundle} is not the one that it was")));
        }
    }
    let via = pipit_grammar::rule::Via::Chat;
    let context = world.context(&plan.service, &plan.place(), via, super::super::now());
    let names = Engine::names(world, &subject, &context);
    let lent: Arc<dyn pipit_commands::Host> = Arc::new(Lent::new(host));
    let line = pipit_grammar::parse(&plan.line)?;
    // what had a part in a value does not change what a line is
    let unlabelled = |_: &Command, _: Option<&Args>| Labels::default();
    let spread = Planner::new(&names, &lent, &Recalled::default(), &|_, _| Ok(()), &unlabelled)
        .plan(&line, None)
        .map(|plan| plan.spread());
    if spread.as_ref().ok() != Some(&plan.spread) {
        return Ok(Some("its names stand for something else than they did".into()));
    }
    let mut asked = Vec::new();
    for call in &plan.calls {
        let Some(command) = world.catalogue.all().iter().find(|command| *command.exact() == call.command) else {
            return Ok(Some(format!("there is no {} any more", call.command)));
        };
        let context = Context { via: call.via().unwrap_or(context.via), ..context.clone() };
        let decision = world.policy.judge(&subject, command, &call.args(), &context).decision;
        match &decision {
            Decision::Allow { .. } => {}
            Decision::Park { obligations, .. } => asked.extend(obligations.iter().map(|due| due.requirement.clone())),
            Decision::Deny(_) => {
                let why = objection(&subject, command, &decision).map(|error| error.to_string());
                return Ok(Some(why.unwrap_or_default()));
            }
        }
    }
    if approval::needs(asked.iter()) != plan.needs {
        return Ok(Some("the rules ask for other approvals than they did".into()));
    }
    Ok(None)
}
