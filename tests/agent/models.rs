//! How a scripted agent tells which models and variants it has.

use serde_json::{Value, json};

use crate::script::{Model, Models, ModelsForm};

/// What is chosen in a session.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) model: String,
    pub(crate) variant: Option<String>,
}

impl Models {
    pub(crate) fn first(&self) -> Chosen {
        let model = self.list.first().map_or(String::new(), |model| model.id.clone());
        let variant = self.variants_of(&model).first().cloned();
        Chosen { model, variant }
    }

    fn variants_of(&self, id: &str) -> &[String] {
        self.list.iter().find(|model| model.id == id).map_or(&[], |model| &model.variants)
    }

    /// What a session answers of them.
    pub(crate) fn of_session(&self, chosen: &Chosen) -> Value {
        match self.form {
            ModelsForm::None => json!({}),
            ModelsForm::Older => {
                let listed =
                    self.list.iter().map(|model| json!({"modelId": model.id, "name": name(&model.id)}));
                let listed: Vec<Value> = listed.collect();
                json!({"models": {"availableModels": listed, "currentModelId": chosen.model}})
            }
            ModelsForm::Options | ModelsForm::Grouped => json!({"configOptions": self.options(chosen)}),
        }
    }

    fn options(&self, chosen: &Chosen) -> Vec<Value> {
        let value = |id: &str| json!({"value": id, "name": name(id)});
        let values = |models: &[Model]| models.iter().map(|model| value(&model.id)).collect::<Vec<_>>();
        let listed = match self.form {
            ModelsForm::Grouped => {
                let groups = self.list.chunks(2).enumerate();
                groups.map(|(number, of)| json!({"group": format!("g{number}"), "name": "Some", "options": values(of)})).collect()
            }
            ModelsForm::Options | ModelsForm::Older | ModelsForm::None => values(&self.list),
        };
        let option = |id: &str, category: &str, current: &str, options: Vec<Value>| {
            json!({"id": id, "name": name(id), "category": category, "type": "select",
                "currentValue": current, "options": options})
        };
        let mode = option("mode", "mode", "build", vec![value("plan"), value("build")]);
        let mut options = vec![mode, option("model", "model", &chosen.model, listed)];
        let variants = self.variants_of(&chosen.model);
        if let Some(variant) = &chosen.variant {
            let values = variants.iter().map(|variant| value(variant)).collect();
            options.push(option("effort", "thought_level", variant, values));
        }
        options
    }

    /// Sets an option. An error says why it cannot be.
    pub(crate) fn set(&self, chosen: &mut Chosen, option: &str, value: &str) -> Result<(), String> {
        let known = match option {
            "model" => self.list.iter().any(|model| model.id == value),
            "effort" => self.variants_of(&chosen.model).iter().any(|variant| variant == value),
            _ => false,
        };
        if !known {
            return Err(format!("{option} has no value {value}"));
        }
        if !self.stubborn {
            match option {
                "model" => {
                    let variant = self.variants_of(value).first().cloned();
                    *chosen = Chosen { model: value.to_owned(), variant };
                }
                _ => chosen.variant = Some(value.to_owned()),
            }
        }
        Ok(())
    }
}

fn name(id: &str) -> String {
    let mut letters = id.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
