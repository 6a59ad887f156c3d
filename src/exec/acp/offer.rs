//! What an agent lets one choose: its models and their variants, in either of the forms that there are.

use serde_json::Value;

use super::bounds::MODELS;

/// What may be chosen in a session, as the agent told it last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Offered {
    /// By its option, or in the older form.
    pub(super) models: Option<Choices>,
    /// How much the model is to think. It may depend on the model.
    pub(super) variants: Option<Choices>,
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choices {
    pub(super) by: By,
    pub(super) current: Option<String>,
    pub(super) values: Vec<Offer>,
}

/// How it is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// By the option of this name.
    Option(String),
    /// By `session/set_model`.
    SetModel,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) id: String,
    pub(super) name: String,
}

impl Offered {
    /// What an answer about a session says.
    pub(super) fn read(answer: &Value) -> Offered {
        let options = Offered::of_options(answer.get("configOptions").unwrap_or(&Value::Null));
        match options.models {
            Some(_) => options,
            None => Offered { models: older(answer.get("models").unwrap_or(&Value::Null)), ..options },
        }
    }

    /// What a list of options says.
    pub(super) fn of_options(list: &Value) -> Offered {
        let list: &[Value] = list.as_array().map_or(&[], Vec::as_slice);
        let of = |category: &str| {
            let is = |option: &&Value| option.get("category").and_then(Value::as_str) == Some(category);
            // A category is only a hint, and may be missing.
            let named = |option: &&Value| {
                option.get("category").is_none_or(Value::is_null)
                    && option.get("id").and_then(Value::as_str) == Some(category)
            };
            let found = list.iter().filter(is).chain(list.iter().filter(named));
            found.filter_map(choices).next()
        };
        Offered { models: of("model"), variants: of("thought_level") }
    }
}

impl Choices {
    pub(super) fn offers(&self, id: &str) -> bool {
        self.values.iter().any(|offer| offer.id == id)
    }

    pub(super) fn is_at(&self, id: &str) -> bool {
        self.current.as_deref() == Some(id)
    }

    /// The names of the first ones, for a hint.
    pub(super) fn hint(&self) -> String {
        const SHOWN: usize = 20;
        let shown: Vec<&str> = self.values.iter().take(SHOWN).map(|offer| offer.id.as_str()).collect();
        let more = self.values.len().saturating_sub(SHOWN);
        match (shown.as_slice(), more) {
            ([], _) => "nothing".to_owned(),
            (shown, 0) => shown.join(", "),
            (shown, more) => format!("{} and {more} more", shown.join(", ")),
        }
    }
}

/// One option of which one value is chosen.
fn choices(option: &Value) -> Option<Choices> {
    let id = option.get("id")?.as_str()?.to_owned();
    let listed = option.get("options")?.as_array()?;
    let current = option.get("currentValue").and_then(Value::as_str).map(str::to_owned);
    // Each is a value, or a group of them.
    let values = listed.iter().flat_map(|one| match one.get("options").and_then(Value::as_array) {
        Some(group) => group.as_slice(),
        None => std::slice::from_ref(one),
    });
    Some(Choices {
        by: By::Option(id),
        current,
        values: distinct(values.filter_map(|value| offer(value, "value"))),
    })
}

/// The older form.
fn older(models: &Value) -> Option<Choices> {
    let listed = models.get("availableModels")?.as_array()?;
    let current = models.get("currentModelId").and_then(Value::as_str).map(str::to_owned);
    let values = distinct(listed.iter().filter_map(|model| offer(model, "modelId")));
    Some(Choices { by: By::SetModel, current, values })
}

fn offer(value: &Value, id: &str) -> Option<Offer> {
    let id = value.get(id)?.as_str().filter(|id| !id.is_empty())?.to_owned();
    let name = value.get("name").and_then(Value::as_str).unwrap_or(&id).to_owned();
    Some(Offer { id, name })
}

fn distinct(offers: impl Iterator<Item = Offer>) -> Vec<Offer> {
    let mut seen = std::collections::BTreeSet::new();
    offers.filter(|offer| seen.insert(offer.id.clone())).take(MODELS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ids(choices: Option<&Choices>) -> Vec<&str> {
        choices.map_or(Vec::new(), |choices| choices.values.iter().map(|offer| offer.id.as_str()).collect())
    }

    #[test]
    fn values_are_found_with_and_without_groups() {
        let values = json!([{"value": "a", "name": "A"}, {"value": "b"}, {"value": "a"}, {"name": "none"}]);
        for options in [values.clone(), json!([{"group": "g", "name": "G", "options": values}])] {
            let answer = json!({"configOptions": [
                {"id": "mode", "category": "mode", "type": "select", "options": [{"value": "m"}]},
                {"id": "llm", "category": "model", "type": "select", "currentValue": "b", "options": options},
            ]});
            let offered = Offered::read(&answer);
            assert_eq!(ids(offered.models.as_ref()), ["a", "b"]);
            assert_eq!((offered.models.as_ref().unwrap().is_at("b"), offered.variants), (true, None));
        }
    }

    #[test]
    fn the_older_form_counts_where_there_is_no_other() {
        let models = json!({"availableModels": [{"modelId": "x", "name": "X"}], "currentModelId": "x"});
        let older = Offered::read(&json!({"models": models})).models.unwrap();
        assert_eq!((older.by, older.current.as_deref()), (By::SetModel, Some("x")));
        let option = json!({"id": "model", "options": [{"value": "y"}]});
        let both = Offered::read(&json!({"models": models, "configOptions": [option]})).models.unwrap();
        assert_eq!((&both.by, ids(Some(&both))), (&By::Option("model".to_owned()), vec!["y"]));
    }

    #[test]
    fn what_is_odd_is_left_out() {
        for odd in [
            json!(null),
            json!({"configOptions": "none"}),
            json!({"configOptions": [7, {"category": "model"}, {"id": "model", "type": "boolean", "currentValue": true}]}),
            json!({"models": {"availableModels": null}}),
        ] {
            assert_eq!(Offered::read(&odd), Offered::default(), "{odd}");
        }
    }
}
