//! onnxruntime-genai's own configuration files, in the words of transformers': models in its layout are published without
//! `config.json` and `preprocessor_config.json`.

use serde_json::{Value, json};

/// What `genai_config.json` says of a model that is published without `config.json`.
pub(super) fn config(genai: &Value) -> Value {
    let model = &genai["model"];
    let model_type = match model["type"].as_str() {
        Some("phi3v") => "phi3_v",
        Some(other) => other,
        None => "",
    };
    json!({
        "model_type": model_type,
        "vocab_size": model["vocab_size"],
        "hidden_size": model["decoder"]["hidden_size"],
        "num_attention_heads": model["decoder"]["num_attention_heads"],
        "num_hidden_layers": model["decoder"]["num_hidden_layers"],
        "max_position_embeddings": model["context_length"],
    })
}

/// The attributes of all operations of an onnxruntime-genai processor, as one object.
pub(super) fn attributes(operations: &[Value]) -> Value {
    let mut all = serde_json::Map::new();
    for operation in operations {
        let attributes = operation.pointer("/operation/attrs").and_then(Value::as_object);
        all.extend(attributes.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    }
    Value::Object(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_directory_without_config_json_has_what_families_read() {
        let genai =
            json!({"model": {"type": "phi3v", "context_length": 131072, "decoder": {"hidden_size": 3072}}});
        let config = config(&genai);
        assert_eq!(config["model_type"], "phi3_v");
        assert_eq!(config["max_position_embeddings"], 131072);
        assert_eq!(config["hidden_size"], 3072);
    }

    #[test]
    fn operations_give_their_attributes() {
        let operations = [
            json!({"operation": {"type": "DecodeImage", "attrs": {"color_space": "RGB"}}}),
            json!({"operation": {"type": "Rescale"}}),
            json!({"operation": {"type": "Phi3ImageTransform", "attrs": {"num_crops": 16, "num_img_tokens": 144}}}),
        ];
        let found = attributes(&operations);
        assert_eq!((found["num_crops"].as_u64(), found["num_img_tokens"].as_u64()), (Some(16), Some(144)));
    }
}
