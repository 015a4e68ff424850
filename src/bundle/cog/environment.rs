//! What a program of Cog's finds in its environment: its call, who asks, where, and the settings of its bundle.

use pipit_commands::{Arg, Call, Value};
use pipit_grammar::usage::Flag;

use super::super::manifest::{COG_KEEPS, Entry};
use super::super::process::{Around, Ready};

/// All of it. A later variable of the same name goes before an earlier one.
pub(in super::super) fn environment(
    bundle: &Ready,
    entry: &Entry,
    call: &Call,
    around: &Around<'_>,
) -> Vec<(String, String)> {
    let host = call.host();
    let origin = host.origin();
    let folder = around.folder.to_string_lossy();
    let room = match origin.room.as_str() {
        "dm" => "direct",
        room => room.strip_prefix('#').unwrap_or(room),
    };
    // a call that is alone in its stage is its last one
    let alone = || (format!("{:016x}{:016x}", host.dice(), host.dice()).into(), "last");
    let (stage, step) = call.turn().map_or_else(alone, |turn| {
        let step = if turn.last {
            "last"
        } else if turn.first {
            "first"
        } else {
            ""
        };
        (turn.stage.clone(), step)
    });
    let mut all: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: &str| all.push((name.to_owned(), value.to_owned()));
    put("PATH", &around.path);
    put("LANG", "C.UTF-8");
    put("HOME", &folder);
    put("TMPDIR", &folder);
    for (name, value) in given(call) {
        put(&name, &value);
    }
    put("COG_BUNDLE", &bundle.manifest.name);
    put("COG_COMMAND", &entry.name);
    put("COG_ROOM", room);
    put("COG_CHAT_HANDLE", &origin.handle);
    put("COG_USERNAME", &origin.user);
    // nobody has an address here, but a script that asks for it must not fall over
    put("COG_EMAIL", "");
    put("COG_PIPELINE_ID", &origin.line);
    put("COG_INVOCATION_ID", &stage);
    if !step.is_empty() {
        put("COG_INVOCATION_STEP", step);
    }
    if let Some(pass) = &around.pass {
        put("COG_SERVICES_ROOT", &pass.root);
        put("COG_SERVICE_TOKEN", &pass.token);
    }
    let theirs = entry.environment.iter().chain(&around.settings);
    for (name, value) in theirs.filter(|(name, _)| !COG_KEEPS.iter().any(|own| name.starts_with(own))) {
        put(name, value);
    }
    // the name under which the shell's own protocol has the id of a call
    put("PIPIT_INVOCATION", around.mark);
    all
}

/// The words of the call.
fn given(call: &Call) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let args: Vec<&Arg> = call.args().params.iter().flatten().collect();
    all.push(("COG_ARGC".to_owned(), args.len().to_string()));
    for (at, arg) in args.iter().enumerate() {
        all.push((format!("COG_ARGV_{at}"), arg.value.to_text().to_string()));
    }
    let options = &call.command().spec().usage.options;
    let given: Vec<(&Flag, &Vec<Arg>)> =
        options.iter().zip(&call.args().options).filter(|(_, args)| !args.is_empty()).collect();
    if !given.is_empty() {
        let names: Vec<String> = given.iter().map(|(flag, _)| flag.key().to_string()).collect();
        all.push(("COG_OPTS".to_owned(), names.join(",")));
    }
    for (flag, args) in given {
        let key = flag.key();
        let spelled = key.replace("-", "_");
        // a shell cannot name a variable with a hyphen
        let other =
            (spelled != key.as_str() && !options.iter().any(|flag| flag.key() == *spelled)).then_some(&*spelled);
        for name in std::iter::once(key.as_str()).chain(other) {
            let name = format!("COG_OPT_{}", name.to_ascii_uppercase());
            all.extend(option(flag, args).into_iter().map(|(behind, value)| (format!("{name}{behind}"), value)));
        }
    }
    all
}

/// The variables of an option: what their names have behind its own, and their values.
fn option(flag: &Flag, args: &[Arg]) -> Vec<(String, String)> {
    match (&flag.value, flag.many) {
        (None, false) => vec![(String::new(), "true".to_owned())],
        (None, true) => vec![(String::new(), args.len().to_string())],
        (Some(_), false) => {
            let last = args.last().map(|arg| arg.value.to_text().to_string());
            vec![(String::new(), last.unwrap_or_default())]
        }
        (Some(_), true) => {
            let items: Vec<String> = args.iter().flat_map(|arg| items(&arg.value)).collect();
            let count = ("_COUNT".to_owned(), items.len().to_string());
            let numbered = items.into_iter().enumerate().map(|(at, item)| (format!("_{at}"), item));
            std::iter::once(count).chain(numbered).collect()
        }
    }
}

/// The items of a list option: those of a list, and those of a text between commas that have no backslash before them.
fn items(value: &Value) -> Vec<String> {
    let Value::Text(text) = value else {
        return match value {
            Value::List(items) => items.iter().map(|item| item.to_text().to_string()).collect(),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Record(_) => {
                vec![value.to_text().to_string()]
            }
        };
    };
    let mut items = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, items.last_mut()) {
            ('\\', Some(item)) if letters.peek() == Some(&',') => item.extend(letters.next()),
            (',', _) => items.push(String::new()),
            (letter, Some(item)) => item.push(letter),
            (_, None) => {}
        }
    }
    items.retain(|item| !item.is_empty());
    items
}

#[cfg(test)]
mod tests {
    use super::items;

    #[test]
    fn a_list_option_is_split_at_commas() {
        for (text, parts) in [
            ("a,b", vec!["a", "b"]),
            ("a", vec!["a"]),
            ("", vec![]),
            (",a,,b,", vec!["a", "b"]),
            ("a\\,b,c", vec!["a,b", "c"]),
            ("a\\b", vec!["a\\b"]),
        ] {
            assert_eq!(items(&text.into()), parts, "{text}");
        }
        assert_eq!(items(&vec!["a,b", "c"].into_iter().collect::<Vec<_>>().into()), ["a,b", "c"]);
    }
}
