//! TensorRT: engines that are built once and kept, and the shapes that they are built for.

use ort::ep::TensorRT;

use super::provider::ProviderOptions;

/// The shapes in which one input of a graph comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeRange {
    /// The input's name.
    pub input: String,
    /// The least size of each axis.
    pub min: Vec<usize>,
    /// The size of each axis that the engine is tuned for.
    pub opt: Vec<usize>,
    /// The greatest size of each axis.
    pub max: Vec<usize>,
}

/// TensorRT with its caches. Half precision comes with the files of `--precision fp16`, not by a builder flag: weights
/// that were exported as f32 are computed as such.
///
/// The names of engines hold the graph's hash, TensorRT's version and the GPU's compute capability, so that one folder a
/// model serves all machines; tactics that were timed once are reused by later builds.
pub(super) fn provider(options: ProviderOptions) -> TensorRT {
    let provider = TensorRT::default().with_device_id(i32::from(options.device));
    let provider = with_shapes(provider, options.shapes);
    let Some(folder) = options.engines else {
        return provider;
    };
    let folder = folder.to_string_lossy();
    provider
        .with_engine_cache(true)
        .with_engine_cache_path(&folder)
        .with_timing_cache(true)
        .with_timing_cache_path(&folder)
}

/// An engine for all shapes of `ranges`. Without it TensorRT takes the shapes of the first call, and builds the engine
/// again whenever a call leaves what it has seen. Every input that has free axes must be among them.
fn with_shapes(provider: TensorRT, ranges: &[ShapeRange]) -> TensorRT {
    if ranges.is_empty() {
        return provider;
    }
    provider
        .with_profile_min_shapes(shapes(ranges, |range| &range.min))
        .with_profile_opt_shapes(shapes(ranges, |range| &range.opt))
        .with_profile_max_shapes(shapes(ranges, |range| &range.max))
}

/// As TensorRT's options take it: `input:1x3x224x224,other:1x7`.
fn shapes(ranges: &[ShapeRange], shape: impl Fn(&ShapeRange) -> &[usize]) -> String {
    let one = |range: &ShapeRange| {
        let sizes: Vec<String> = shape(range).iter().map(usize::to_string).collect();
        format!("{}:{}", range.input, sizes.join("x"))
    };
    ranges.iter().map(one).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_written_as_the_provider_reads_them() {
        let range = |input: &str, max: &[usize]| ShapeRange {
            input: input.into(),
            min: vec![1, 1],
            opt: vec![8, 256],
            max: max.to_vec(),
        };
        let ranges = [range("input_ids", &[16, 2048]), range("attention_mask", &[16, 4096])];
        assert_eq!(shapes(&ranges, |range| &range.opt), "input_ids:8x256,attention_mask:8x256");
        assert_eq!(shapes(&ranges, |range| &range.max), "input_ids:16x2048,attention_mask:16x4096");
    }
}
