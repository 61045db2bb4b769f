//! What a layout calls the graphs' inputs and outputs.

use serde_json::Value;

/// Names in all graphs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Names {
    pub vision: VisionNames,
    pub embedding: EmbeddingNames,
    pub decoder: DecoderNames,
}

/// Names in the vision encoder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct VisionNames {
    /// (our name, the graph's), where a configuration says so.
    renamed: Vec<(&'static str, String)>,
    /// The output with the features; else the first one.
    pub features: Option<String>,
}

/// What families give to a vision encoder, with the names that exports have for it.
const VISION_INPUTS: [(&str, &[&str]); 5] = [
    ("pixel_values", &["pixel_values"]),
    ("image_grid_thw", &["image_grid_thw", "grid_thw"]),
    ("pixel_attention_mask", &["pixel_attention_mask"]),
    ("image_attention_mask", &["image_attention_mask"]),
    ("image_sizes", &["image_sizes"]),
];

impl VisionNames {
    /// Our name for an input of the graph.
    pub fn role(&self, name: &str) -> Option<&'static str> {
        let renamed = self.renamed.iter().find(|(_, graph)| graph == name).map(|(role, _)| *role);
        let usual = || VISION_INPUTS.iter().find(|(_, names)| names.contains(&name)).map(|(role, _)| *role);
        renamed.or_else(usual)
    }

    /// The graph's name for one of ours.
    pub fn graph_name(&self, role: &str) -> String {
        let renamed = self.renamed.iter().find(|(known, _)| *known == role);
        renamed.map_or_else(|| role.to_string(), |(_, name)| name.clone())
    }
}

/// Names in the token embedding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EmbeddingNames {
    pub input_ids: String,
    pub image_features: String,
    pub audio_features: String,
}

impl Default for EmbeddingNames {
    fn default() -> Self {
        Self {
            input_ids: "input_ids".into(),
            image_features: "image_features".into(),
            audio_features: "audio_features".into(),
        }
    }
}

/// Names in the decoder; `%d` stands for the layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DecoderNames {
    pub inputs_embeds: String,
    pub attention_mask: String,
    pub position_ids: String,
    pub past_key: String,
    pub past_value: String,
    pub present_key: String,
    pub present_value: String,
    pub logits: String,
    /// Width of a head, for graphs that leave it open.
    pub head_size: Option<usize>,
}

impl Default for DecoderNames {
    fn default() -> Self {
        Self {
            inputs_embeds: "inputs_embeds".into(),
            attention_mask: "attention_mask".into(),
            position_ids: "position_ids".into(),
            past_key: "past_key_values.%d.key".into(),
            past_value: "past_key_values.%d.value".into(),
            present_key: "present.%d.key".into(),
            present_value: "present.%d.value".into(),
            logits: "logits".into(),
            head_size: None,
        }
    }
}

impl DecoderNames {
    /// The output that becomes this input of the next call; `None` when the input is no part of the past.
    pub fn present_of(&self, input: &str) -> Option<String> {
        let pairs = [(&self.past_key, &self.present_key), (&self.past_value, &self.present_value)];
        pairs.into_iter().find_map(|(past, present)| {
            let (start, end) = past.split_once("%d")?;
            let layer = input.strip_prefix(start)?.strip_suffix(end)?;
            layer.bytes().all(|byte| byte.is_ascii_digit()).then(|| present.replace("%d", layer))
        })
    }
}

impl Names {
    /// The names that a `genai_config.json` gives.
    pub fn from_genai(config: &Value) -> Self {
        let given = |part: &str, side: &str, name: &str| -> Option<String> {
            config.get("model")?.get(part)?.get(side)?.get(name)?.as_str().map(String::from)
        };
        let mut names = Self::default();
        for (role, known) in VISION_INPUTS {
            let field = if role == "image_attention_mask" { "attention_mask" } else { known[0] };
            let name = given("vision", "inputs", field).or_else(|| given("vision", "inputs", known[0]));
            names.vision.renamed.extend(name.map(|name| (role, name)));
        }
        names.vision.features = given("vision", "outputs", "image_features");
        let set = |target: &mut String, value: Option<String>| {
            if let Some(value) = value {
                *target = value;
            }
        };
        let embedding = &mut names.embedding;
        set(&mut embedding.input_ids, given("embedding", "inputs", "input_ids"));
        set(&mut embedding.image_features, given("embedding", "inputs", "image_features"));
        set(&mut embedding.audio_features, given("embedding", "inputs", "audio_features"));
        let decoder = &mut names.decoder;
        set(&mut decoder.inputs_embeds, given("decoder", "inputs", "inputs_embeds"));
        set(&mut decoder.attention_mask, given("decoder", "inputs", "attention_mask"));
        set(&mut decoder.position_ids, given("decoder", "inputs", "position_ids"));
        set(&mut decoder.past_key, given("decoder", "inputs", "past_key_names"));
        set(&mut decoder.past_value, given("decoder", "inputs", "past_value_names"));
        set(&mut decoder.present_key, given("decoder", "outputs", "present_key_names"));
        set(&mut decoder.present_value, given("decoder", "outputs", "present_value_names"));
        set(&mut decoder.logits, given("decoder", "outputs", "logits"));
        let head_size = config.pointer("/model/decoder/head_size").and_then(Value::as_u64);
        decoder.head_size = head_size.map(|size| size as usize);
        names
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_past_finds_its_present() {
        let names = DecoderNames::default();
        assert_eq!(names.present_of("past_key_values.12.value").as_deref(), Some("present.12.value"));
        assert_eq!(names.present_of("past_key_values.x.value"), None);
        assert_eq!(names.present_of("attention_mask"), None);
    }

    #[test]
    fn a_genai_configuration_renames() {
        let names = Names::from_genai(&json!({"model": {
            "decoder": {"inputs": {"past_key_names": "past.%d.k"}, "outputs": {"present_key_names": "new.%d.k"}},
            "vision": {"inputs": {"attention_mask": "image_attention_mask"}},
        }}));
        assert_eq!(names.decoder.present_of("past.3.k").as_deref(), Some("new.3.k"));
        assert_eq!(names.vision.role("image_attention_mask"), Some("image_attention_mask"));
        assert_eq!(names.vision.role("grid_thw"), Some("image_grid_thw"));
    }
}
