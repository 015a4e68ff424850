//! What may be asked, and the answers, in the form that Cog's own services had.

use axum::body::Bytes;
use axum::extract::{Extension, Path};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use pipit_commands::{ErrorKind, Record, Value};
use serde_json::json;

use super::Asker;
use super::memory::Refused;
use crate::limits;

/// The services there are, and their versions.
const SERVICES: [(&str, &str); 2] = [("chat", "1.0.0"), ("memory", "1.0.0")];

/// The paths. Every request has an [`Asker`] by then.
pub(super) fn routes() -> Router {
    Router::new()
        .route("/v1/services/meta", get(all))
        .route("/v1/services/meta/deployed/{name}", get(one))
        .route("/v1/services/memory/1.0.0/{key}", get(kept).put(replace).post(change).delete(forget))
        .route("/v1/services/chat/1.0.0/send_message", post(send))
        .fallback(async || refuse(StatusCode::NOT_FOUND, "there is no such service"))
}

/// A refusal that says why.
pub(super) fn refuse(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}

async fn all() -> Response {
    let services = SERVICES.map(|(name, version)| json!({ "name": name, "version": version }));
    Json(json!({ "info": { "cog_services_api_version": "1", "services": services } })).into_response()
}

async fn one(Path(name): Path<String>) -> Response {
    match SERVICES.iter().find(|(known, _)| *known == name) {
        Some((name, version)) => Json(json!({ "name": name, "version": version })).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "there is no such service"),
    }
}

async fn kept(Extension(asker): Extension<Asker>, Path(key): Path<String>) -> Response {
    answer(asker.memory().get(&key))
}

async fn forget(Extension(asker): Extension<Asker>, Path(key): Path<String>) -> Response {
    answer(asker.memory().delete(&key))
}

async fn replace(Extension(asker): Extension<Asker>, Path(key): Path<String>, body: Bytes) -> Response {
    if key.len() > limits::MEMORY_KEY {
        return too_long();
    }
    match value(&body) {
        Ok(value) => answer(asker.memory().put(&key, value)),
        Err(why) => wrong(&why),
    }
}

async fn change(Extension(asker): Extension<Asker>, Path(key): Path<String>, body: Bytes) -> Response {
    if key.len() > limits::MEMORY_KEY {
        return too_long();
    }
    let record = match record(&body) {
        Ok(record) => record,
        Err(why) => return wrong(&why),
    };
    let Some(value) = record.get("value").cloned() else { return wrong("the field value is missing") };
    match record.get("op").map(Value::to_text).as_deref() {
        Some("accum") => answer(asker.memory().accumulate(&key, value)),
        Some("join") => answer(asker.memory().join(&key, value)),
        Some(_) | None => wrong("op is accum or join; to replace a value, PUT it"),
    }
}

async fn send(Extension(asker): Extension<Asker>, body: Bytes) -> Response {
    let record = match record(&body) {
        Ok(record) => record,
        Err(why) => return wrong(&why),
    };
    let text = |name: &str| record.get(name).map(Value::to_text);
    let (Some(to), Some(message)) = (text("destination"), text("message")) else {
        return wrong("the fields destination and message are wanted");
    };
    // the line may have ended since the request came
    let Some(line) = asker.shared.line.upgrade() else { return unknown() };
    match line.send(&asker.command, &to, &message).await {
        Ok(()) => Json(json!({ "status": "sent" })).into_response(),
        Err(error) => {
            let status = match error.kind() {
                ErrorKind::Refused => StatusCode::NOT_FOUND,
                ErrorKind::Denied | ErrorKind::Parked => StatusCode::FORBIDDEN,
                ErrorKind::Failed | ErrorKind::Stopped | ErrorKind::Unknown => StatusCode::UNPROCESSABLE_ENTITY,
                ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            };
            refuse(status, &error.to_string())
        }
    }
}

/// The token opens nothing.
pub(super) fn unknown() -> Response {
    refuse(StatusCode::UNAUTHORIZED, "a token of a line that runs is wanted: Authorization: pipeline TOKEN")
}

fn answer(answer: Result<String, Refused>) -> Response {
    match answer {
        Ok(json) => ([(CONTENT_TYPE, "application/json")], json).into_response(),
        Err(Refused::Unknown) => refuse(StatusCode::NOT_FOUND, "key not found"),
        Err(Refused::NoList) => refuse(StatusCode::UNPROCESSABLE_ENTITY, "a list can be joined to a list only"),
        Err(Refused::Full) => {
            let why =
                format!("a line keeps {} MiB under {} keys at most", limits::MEMORY_BYTES >> 20, limits::MEMORY_KEYS);
            refuse(StatusCode::INSUFFICIENT_STORAGE, &why)
        }
    }
}

fn value(body: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the body is no UTF-8".to_owned())?;
    Value::from_json(text).map_err(|error| format!("the body is no JSON: {error}"))
}

fn record(body: &[u8]) -> Result<Record, String> {
    match value(body)? {
        Value::Record(record) => Ok(record),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::List(_) => {
            Err("the body is no JSON object".to_owned())
        }
    }
}

fn wrong(why: &str) -> Response {
    refuse(StatusCode::BAD_REQUEST, why)
}

fn too_long() -> Response {
    wrong(&format!("a key has {} bytes at most", limits::MEMORY_KEY))
}
