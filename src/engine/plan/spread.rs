//! A plan as text, every name exact and every alias spread out: two lines that come to the same text do the same. It is
//! compared and shown, never parsed.

use pipit_commands::How;
use pipit_grammar::ast::{Joint, Parameter};

use super::{Part, Plan, Stage, What, Word};

impl Plan {
    /// The whole plan.
    pub(crate) fn spread(&self) -> String {
        let mut text = String::new();
        write(self, &mut text);
        text
    }
}

fn write(plan: &Plan, text: &mut String) {
    for (joint, pipeline) in &plan.pipelines {
        match joint {
            None => {}
            Some(Joint::And) => text.push_str(" && "),
            Some(Joint::Or) => text.push_str(" || "),
        }
        for (at, stage) in pipeline.stages.iter().enumerate() {
            if at > 0 {
                text.push_str(" | ");
            }
            write_stage(stage, text);
        }
        if let Some(redirect) = &pipeline.redirect {
            text.push_str(&redirect.to_string());
        }
    }
}

fn write_stage(stage: &Stage, text: &mut String) {
    match &stage.run {
        What::Command(stated) => {
            text.push_str(stated.command.exact());
            write_words(stage, text);
            for (written, plan) in &stated.blocks {
                text.push_str(" { ");
                match plan {
                    Some(plan) => write(plan, text),
                    None => text.push_str(&written.to_string()),
                }
                text.push_str(" }");
            }
        }
        What::Alias(plan, _) => {
            text.push_str("( ");
            write(plan, text);
            text.push_str(" )");
            write_words(stage, text);
        }
    }
}

fn write_words(stage: &Stage, text: &mut String) {
    for word in &stage.words {
        text.push(' ');
        write_word(word, text);
    }
}

fn write_word(word: &Word, text: &mut String) {
    for part in &word.parts {
        match part {
            Part::Text(bare, How::Bare) => text.push_str(bare),
            Part::Text(quoted, How::Quoted | How::Computed) => text.push_str(&format!("{quoted:?}")),
            Part::Reference(path, quoted) => text.push_str(&around(*quoted, &format!("${{{path}}}"))),
            Part::Percent => text.push_str("%s"),
            Part::Substitution(plan, quoted) => {
                let mut inside = String::new();
                write(plan, &mut inside);
                text.push_str(&around(*quoted, &format!("$({inside})")));
            }
            Part::Parameter(Parameter::Nth(n), quoted) => text.push_str(&around(*quoted, &format!("${n}"))),
            Part::Parameter(Parameter::All, quoted) => text.push_str(&around(*quoted, "$*")),
        }
    }
}

fn around(quoted: bool, text: &str) -> String {
    if quoted { format!("\"{text}\"") } else { text.to_owned() }
}
