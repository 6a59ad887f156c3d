//! From an agent that was just started to a session that is ready for a prompt.

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

use super::bounds::one_line;
use super::failure::{Failure, Halt, class_of, words};
use super::message::AgentError;
use super::offer::{By, Choices, Offered};
use super::talk::Talk;
use super::{DEFAULT_MODEL, SessionChoice, ToolServer, wire};
use crate::domain::draft::limits::AGENT_NAME;
use crate::domain::run::{Continuity, ErrorClass};

/// What an agent can do with sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Abilities {
    resume: Ability,
    load: Ability,
    pub(super) close: Ability,
    pub(super) delete: Ability,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ability {
    Has,
    #[default]
    Lacks,
}

/// Where a session works, and what it has there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) directory: &'a str,
    pub(super) tools: Option<&'a ToolServer>,
}

/// A session that is open.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) continuity: Continuity,
    pub(super) offered: Offered,
}

impl Abilities {
    fn read(answer: &Value) -> Abilities {
        let capabilities = answer.get("agentCapabilities").unwrap_or(&Value::Null);
        // Each is there as an object that may be empty; some write `true`.
        let has = |value: Option<&Value>| match value {
            Some(Value::Object(_) | Value::Bool(true)) => Ability::Has,
            Some(
                Value::Null | Value::Bool(false) | Value::Number(_) | Value::String(_) | Value::Array(_),
            )
            | None => Ability::Lacks,
        };
        let of_sessions =
            |name: &str| has(capabilities.get("sessionCapabilities").and_then(|all| all.get(name)));
        Abilities {
            resume: of_sessions("resume"),
            load: has(capabilities.get("loadSession")),
            close: of_sessions("close"),
            delete: of_sessions("delete"),
        }
    }
}

/// `initialize`.
pub(super) async fn initialize<R, W>(talk: &mut Talk<R, W>) -> Result<Abilities, Halt>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let answer = talk.call("initialize", wire::initialize()).await?;
    let version = answer.get("protocolVersion").unwrap_or(&Value::Null);
    if *version != wire::PROTOCOL_VERSION {
        let message = format!(
            "the agent speaks version {} of the Agent Client Protocol, and sexton version {}; use a version of the agent \
             that speaks that one",
            one_line(&version.to_string(), 40),
            wire::PROTOCOL_VERSION
        );
        return Err(Halt::Unusable(Failure::new(ErrorClass::Config, message)));
    }
    talk.learn_logins(&answer);
    Ok(Abilities::read(&answer))
}

/// A new session, or the wanted one.
pub(super) async fn open<R, W>(
    talk: &mut Talk<R, W>,
    abilities: Abilities,
    choice: &SessionChoice,
    place: Place<'_>,
) -> Result<Session, Halt>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    match choice {
        SessionChoice::New => begin(talk, place).await,
        SessionChoice::Last(id) => match take_up(talk, abilities, id, place).await? {
            Ok(session) => Ok(session),
            // What passes says nothing about the session, which a new one would replace for good.
            Err(Some(Halt::Refused { method, error })) if passes(&error) => {
                Err(Halt::Refused { method, error })
            }
            Err(_) => begin(talk, place).await,
        },
        SessionChoice::Named(id) => {
            take_up(talk, abilities, id, place).await?.map_err(|refused| not_taken_up(id, refused))
        }
    }
}

/// Whether an error says nothing about a session: it will not be there for ever.
fn passes(error: &AgentError) -> bool {
    match class_of(error) {
        ErrorClass::Transient | ErrorClass::Quota | ErrorClass::Auth => true,
        ErrorClass::Task
        | ErrorClass::Config
        | ErrorClass::Permission
        | ErrorClass::Agent
        | ErrorClass::Crash => false,
    }
}

/// Why a named session is not taken up.
fn not_taken_up(id: &str, refused: Option<Halt>) -> Halt {
    let why = match refused {
        Some(Halt::Refused { method, error }) => match class_of(&error) {
            // That passes, and says nothing about the session.
            ErrorClass::Transient | ErrorClass::Quota => return Halt::Refused { method, error },
            ErrorClass::Task
            | ErrorClass::Config
            | ErrorClass::Auth
            | ErrorClass::Permission
            | ErrorClass::Agent
            | ErrorClass::Crash => format!("the agent cannot take up the session {id:?}: {}", words(&error)),
        },
        Some(halt @ (Halt::Cancelled | Halt::Lost | Halt::TimedOut { .. } | Halt::Unusable(_))) => {
            return halt;
        }
        None => format!("the agent cannot take up earlier sessions, so not {id:?} either"),
    };
    let message = format!("{why}; name another one in `task.sessionID`, or none; nothing was begun instead");
    Halt::Unusable(Failure::new(ErrorClass::Config, message))
}

/// A new session.
pub(super) async fn begin<R, W>(talk: &mut Talk<R, W>, place: Place<'_>) -> Result<Session, Halt>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    talk.spending.begin_anew();
    let params = |tools: Option<&ToolServer>| wire::new_session(place.directory, tools);
    let answer = with_tools(talk, "session/new", place.tools, params).await?;
    match answer.get("sessionId").and_then(Value::as_str).filter(|id| !id.is_empty()) {
        // It is told with each run, and whoever names it in a task is held to the same.
        Some(id) if id.chars().count() > AGENT_NAME => {
            let message = format!(
                "the agent answered `session/new` with a session whose name is over {AGENT_NAME} characters long; use another version of it"
            );
            Err(Halt::Unusable(Failure::new(ErrorClass::Agent, message)))
        }
        Some(id) => Ok(opened(talk, id, Continuity::New, &answer)),
        None => {
            let message = "the agent answered `session/new` without a session; use another version of it";
            Err(Halt::Unusable(Failure::new(ErrorClass::Agent, message)))
        }
    }
}

/// An earlier session: resumed, or else loaded. How it refused if it can do neither with it, and nothing if it has no way
/// to do so at all. An agent that wants a login, or has gone, would not begin a new one either.
async fn take_up<R, W>(
    talk: &mut Talk<R, W>,
    abilities: Abilities,
    id: &str,
    place: Place<'_>,
) -> Result<Result<Session, Option<Halt>>, Halt>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let ways = [
        ("session/resume", abilities.resume, Continuity::Resumed),
        ("session/load", abilities.load, Continuity::Loaded),
    ];
    let mut refused = None;
    for (method, ability, continuity) in ways {
        if ability == Ability::Lacks {
            continue;
        }
        let params = |tools: Option<&ToolServer>| wire::known_session(id, place.directory, tools);
        match with_tools(talk, method, place.tools, params).await {
            Ok(answer) => return Ok(Ok(opened(talk, id, continuity, &answer))),
            Err(Halt::Refused { method, error }) if class_of(&error) != ErrorClass::Auth => {
                refused = Some(Halt::Refused { method, error });
            }
            Err(
                halt @ (Halt::Refused { .. }
                | Halt::Cancelled
                | Halt::Lost
                | Halt::TimedOut { .. }
                | Halt::Unusable(_)),
            ) => return Err(halt),
        }
    }
    Ok(Err(refused))
}

/// A call that has a session opened with these tools, and without them if that is what the agent does not like: it would
/// carry the prompt out all the same.
async fn with_tools<R, W>(
    talk: &mut Talk<R, W>,
    method: &'static str,
    tools: Option<&ToolServer>,
    params: impl Fn(Option<&ToolServer>) -> Value,
) -> Result<Value, Halt>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    match (talk.call(method, params(tools)).await, tools) {
        (Err(Halt::Refused { error, .. }), Some(tools)) if is_about(tools, &error) => {
            talk.call(method, params(None)).await
        }
        (answer, _) => answer,
    }
}

/// Whether an error is about a server of tools: it speaks of such servers, or names the program.
fn is_about(tools: &ToolServer, error: &AgentError) -> bool {
    let text = words(error).to_lowercase();
    text.contains("mcp") || text.contains(&tools.command.to_lowercase())
}

fn opened<R, W>(talk: &mut Talk<R, W>, id: &str, continuity: Continuity, answer: &Value) -> Session
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let told = talk.take_told();
    let mut offered = Offered::read(answer);
    if offered == Offered::default() {
        offered = told.unwrap_or_default();
    }
    Session { id: id.to_owned(), continuity, offered }
}

/// Has the session use this model and, if one is named, this variant of it.
pub(super) async fn choose<R, W>(
    talk: &mut Talk<R, W>,
    session: &mut Session,
    model: &str,
    variant: Option<&str>,
) -> Result<(), Halt>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    match session.offered.models.clone() {
        Some(models) => set(talk, session, &models, Choosing::Model, model).await?,
        None if model == DEFAULT_MODEL => {}
        None => {
            let message = format!(
                "the agent lets nobody choose a model, so not {model:?} either; name the model {DEFAULT_MODEL:?}"
            );
            return Err(Halt::Unusable(Failure::new(ErrorClass::Config, message)));
        }
    }
    let Some(variant) = variant else { return Ok(()) };
    match session.offered.variants.clone() {
        Some(variants) => set(talk, session, &variants, Choosing::Variant { of: model }, variant).await,
        None => {
            let message =
                format!("the agent offers no variants of the model {model:?}, so not {variant:?} either");
            Err(Halt::Unusable(Failure::new(ErrorClass::Config, message)))
        }
    }
}

#[derive(Clone, Copy)]
enum Choosing<'a> {
    Model,
    Variant { of: &'a str },
}

impl Choosing<'_> {
    fn words(self, value: &str) -> String {
        match self {
            Choosing::Model => format!("the model {value:?}"),
            Choosing::Variant { of } => format!("the variant {value:?} of the model {of:?}"),
        }
    }

    fn of(self, offered: &Offered) -> Option<&Choices> {
        match self {
            Choosing::Model => offered.models.as_ref(),
            Choosing::Variant { .. } => offered.variants.as_ref(),
        }
    }
}

async fn set<R, W>(
    talk: &mut Talk<R, W>,
    session: &mut Session,
    choices: &Choices,
    choosing: Choosing<'_>,
    value: &str,
) -> Result<(), Halt>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let unusable = |message| Err(Halt::Unusable(Failure::new(ErrorClass::Config, message)));
    if choices.is_at(value) {
        return Ok(());
    }
    if !choices.offers(value) {
        let (what, hint) = (choosing.words(value), choices.hint());
        return unusable(format!("the agent does not offer {what}; it offers: {hint}"));
    }
    put(talk, session, &choices.by, value).await?;
    // One that says nothing of what is chosen now has taken it.
    match choosing.of(&session.offered).and_then(|choices| choices.current.as_deref()) {
        Some(current) if current != value => {
            let what = choosing.words(value);
            unusable(format!("the agent did not take {what}, and stays with {current:?}; choose another one"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Sets one value, and learns what may be chosen then.
pub(super) async fn put<R, W>(
    talk: &mut Talk<R, W>,
    session: &mut Session,
    by: &By,
    value: &str,
) -> Result<(), Halt>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    match by {
        By::Option(option) => {
            let params = wire::set_option(&session.id, option, value);
            let answer = talk.call("session/set_config_option", params).await?;
            let told = talk.take_told();
            let offered = Offered::of_options(answer.get("configOptions").unwrap_or(&Value::Null));
            session.offered = match (offered.models.is_some(), told) {
                (true, _) => offered,
                (false, Some(told)) => told,
                // It does not say; what is known of variants was of another model.
                (false, None) => Offered::default(),
            };
        }
        By::SetModel => {
            talk.call("session/set_model", wire::set_model(&session.id, value)).await?;
            if let Some(models) = &mut session.offered.models {
                models.current = Some(value.to_owned());
            }
        }
    }
    Ok(())
}
