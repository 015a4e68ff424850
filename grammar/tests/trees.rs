//! Trees compared without regard to where their nodes stood.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, unreachable_pub, reason = "a test; each uses a part")]

use pipit_grammar::ast::{Item, Line, Part, Pipeline, Stage, Word};
use pipit_grammar::{Span, SyntaxError};

/// What a tree prints parses again to an equal tree that prints the same.
pub fn assert_fixed_point(parse: fn(&str) -> Result<Line, SyntaxError>, tree: &Line) {
    let printed = tree.to_string();
    let again = parse(&printed).unwrap_or_else(|error| panic!("{printed:?} is refused: {}", error.show(&printed)));
    assert_eq!(again.to_string(), printed, "printed twice");
    let (mut tree, mut again) = (tree.clone(), again);
    each_span(&mut tree, &mut |span| *span = Span::default());
    each_span(&mut again, &mut |span| *span = Span::default());
    assert_eq!(tree, again, "{printed}");
}

/// Visits every span of a tree.
pub fn each_span(line: &mut Line, visit: &mut impl FnMut(&mut Span)) {
    pipeline_spans(&mut line.first, visit);
    for (_, pipeline) in &mut line.rest {
        pipeline_spans(pipeline, visit);
    }
}

fn pipeline_spans(pipeline: &mut Pipeline, visit: &mut impl FnMut(&mut Span)) {
    for stage in &mut pipeline.stages {
        stage_spans(stage, visit);
    }
    if let Some(redirect) = &mut pipeline.redirect {
        visit(&mut redirect.span);
    }
}

fn stage_spans(stage: &mut Stage, visit: &mut impl FnMut(&mut Span)) {
    visit(&mut stage.span);
    visit(&mut stage.name.span);
    for item in &mut stage.items {
        match item {
            Item::Word(word) => word_spans(word, visit),
            Item::Block(block) => {
                visit(&mut block.span);
                each_span(&mut block.line, visit);
            }
        }
    }
}

fn word_spans(word: &mut Word, visit: &mut impl FnMut(&mut Span)) {
    visit(&mut word.span);
    for part in &mut word.parts {
        match part {
            Part::Substitution { line, span, .. } => {
                visit(span);
                each_span(line, visit);
            }
            Part::Text { .. } | Part::Reference { .. } | Part::Percent { .. } | Part::Parameter { .. } => {}
        }
    }
}
