//! What a scripted agent is told to do. Everything may be left out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Script {
    /// Written to stdout before anything else, each as a line.
    pub(crate) noise: Vec<String>,
    /// The version of the protocol that it says it speaks.
    pub(crate) version: Option<Value>,
    /// Which of `resume`, `load`, `close` and `delete` it lacks.
    pub(crate) lacks: Vec<String>,
    /// As `initialize` answers them.
    pub(crate) auth_methods: Vec<Value>,
    pub(crate) models: Models,
    /// What it does instead of answering a method well.
    pub(crate) calls: BTreeMap<String, Act>,
    /// What it does with each prompt that has no markers.
    pub(crate) prompt: Vec<Step>,
    /// What it does when its stdin ends.
    pub(crate) at_end_of_input: AtEnd,
    #[serde(skip)]
    pub(crate) log: Option<PathBuf>,
    #[serde(skip)]
    pub(crate) sessions: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Models {
    pub(crate) form: ModelsForm,
    /// The first one is the current one of a new session.
    pub(crate) list: Vec<Model>,
    /// Whether a choice is taken.
    pub(crate) stubborn: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ModelsForm {
    /// An option with values.
    #[default]
    Options,
    /// An option with groups of values.
    Grouped,
    /// `models` and `session/set_model`.
    Older,
    /// Nobody can choose.
    None,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    pub(crate) id: String,
    /// Told only while the model is chosen.
    #[serde(default)]
    pub(crate) variants: Vec<String>,
}

/// What it does with a call.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Act {
    /// Nothing, for ever.
    Hang,
    /// It answers, and answers again.
    Twice,
    Exit(u8),
    /// It dies by this signal.
    Signal(i32),
    Error(CallError),
    /// It answers with this.
    With(Value),
    /// It writes this line first.
    Noise(String),
    /// It asks for a permission first, and waits for no answer.
    AskFirst,
    /// It refuses where it is given a server of tools, with this message.
    RefuseTools(String),
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CallError {
    #[serde(default = "internal_error")]
    pub(crate) code: i64,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) data: Option<Value>,
}

fn internal_error() -> i64 {
    -32603
}

/// One thing that it does in a turn.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// It says this.
    Say(String),
    /// It does this over and over, until it is cancelled.
    Repeat(Box<Step>),
    Think(String),
    /// It calls a tool.
    Tool(Tool),
    /// It calls a tool of the server that it was given, and says what that answered.
    Use(Use),
    /// It says which tools the server has that it was given.
    Tools,
    /// It asks for a permission. Refused, it ends its turn without a word, as some do.
    Permission(Permission),
    /// It asks for all of these before it waits for any answer.
    Permissions(Vec<Permission>),
    /// It asks a question, and says what was answered.
    Elicit(Elicit),
    /// It spends this much more, in dollars.
    Cost(f64),
    /// It writes its own name into a file of the working directory.
    Write(String),
    /// It says, as JSON, what it was prompted with in this session, oldest first, this prompt included.
    Recall,
    /// It writes this line, which is no message.
    Noise(String),
    /// It writes this many lines of noise, updates and unknown requests each, and reads no answer.
    Flood(u64),
    /// It sends an update of so many bytes.
    Huge(usize),
    /// It leaves behind a process in a session of its own that ignores every signal that can be ignored.
    Spawn,
    /// It does nothing until it is cancelled.
    Hang(OnCancel),
    Exit(u8),
    Signal(i32),
    /// It ends its turn for this reason.
    Stop(String),
    /// It answers the prompt twice.
    StopTwice(String),
    /// It answers the prompt with an error.
    Error(CallError),
}

/// What it does when it is cancelled.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnCancel {
    /// It answers the prompt.
    #[default]
    Answer,
    /// It answers with the error for cancelled requests.
    Error,
    /// It answers that all is well.
    Finish,
    /// It answers after so many milliseconds.
    Late(u64),
    Ignore,
    Exit(u8),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Use {
    pub(crate) tool: String,
    pub(crate) arguments: Value,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tool {
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) input: Value,
    /// The file that it says it changes, and does not touch.
    #[serde(default)]
    pub(crate) path: Option<String>,
    #[serde(default = "completed")]
    pub(crate) status: String,
}

fn completed() -> String {
    "completed".to_owned()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Permission {
    pub(crate) title: String,
    /// The kinds of its options, in this order; their ids are the same.
    pub(crate) options: Vec<String>,
    pub(crate) refused: WhenRefused,
    /// It does not wait for the answer, and asks no more.
    pub(crate) withdraw: bool,
}

impl Default for Permission {
    fn default() -> Self {
        let kinds = ["allow_always", "allow_once", "reject_once", "reject_always"];
        Permission {
            title: "rm -rf build".to_owned(),
            options: kinds.map(str::to_owned).to_vec(),
            refused: WhenRefused::Stop,
            withdraw: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhenRefused {
    /// It ends its turn.
    Stop,
    /// It does the next thing.
    GoOn,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Elicit {
    pub(crate) message: String,
    /// The fields as JSON Schema, with their order.
    pub(crate) fields: Box<serde_json::value::RawValue>,
    #[serde(default)]
    pub(crate) required: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AtEnd {
    #[default]
    Exit,
    /// It stays, and has to be killed.
    Stay,
}

impl Default for Models {
    fn default() -> Self {
        let model = |id: &str, variants: &[&str]| Model {
            id: id.to_owned(),
            variants: variants.iter().map(|&variant| variant.to_owned()).collect(),
        };
        let list = vec![model("small", &[]), model("large", &["low", "high"])];
        Models { form: ModelsForm::Options, list, stubborn: false }
    }
}

impl Script {
    #[expect(clippy::disallowed_methods, reason = "this program is told by its environment alone")]
    pub(crate) fn from_environment() -> Script {
        let value = |name: &str| std::env::var(name).ok();
        let file = |name: &str| value(name).map(|path| std::fs::read_to_string(path).expect("the script"));
        let text = value("SCRIPTED_AGENT").or_else(|| file("SCRIPTED_AGENT_FILE"));
        let script: Script = match text {
            Some(text) => serde_json::from_str(&text).expect("a script as script.rs has it"),
            None => Script::default(),
        };
        Script {
            log: value("SCRIPTED_AGENT_LOG").map(PathBuf::from),
            sessions: value("SCRIPTED_AGENT_SESSIONS").map(PathBuf::from),
            ..script
        }
    }
}
