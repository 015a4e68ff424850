//! The access rules of a command: of this command only, with permissions that the bundle declares or the site's, and
//! options that the usage has.

use ecow::EcoString;
use pipit_grammar::rule::parse_rule_for;
use pipit_grammar::usage::Usage;

use super::super::field::{Field, Notes};
use super::command::Around;

/// The rules, whole and canonical; wrong ones are noted and left out.
pub(super) fn read(field: &Field<'_>, usage: &Usage, around: &Around<'_>, notes: &mut Notes) -> Vec<EcoString> {
    let texts = field.texts(notes).unwrap_or_default();
    let mut rules = Vec::new();
    for (item, text) in texts {
        match rule(text, usage, around) {
            Ok(rule) => rules.push(rule.into()),
            Err(why) => notes.wrong(&item, why),
        }
    }
    rules
}

fn rule(text: &str, usage: &Usage, around: &Around<'_>) -> Result<String, String> {
    let rule = parse_rule_for(text, &around.bundle, &usage.name).map_err(|error| match error.help {
        Some(help) => format!("{}; {help}", error.message),
        None => error.message,
    })?;
    for permission in rule.permissions() {
        let declared = match permission.split_once(':') {
            Some(("site", _)) => true,
            Some((bundle, name)) => bundle == around.bundle && around.permissions.iter().any(|own| own == name),
            None => false,
        };
        if !declared {
            return Err(format!("the permission {permission} is not declared by this bundle, and is none of site:"));
        }
    }
    for option in rule.options() {
        if !usage.options.iter().any(|known| known.key() == *option) {
            return Err(format!("the usage has no option {option}, so the rule would never count"));
        }
    }
    Ok(rule.to_string())
}
