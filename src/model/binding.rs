//! Calls whose keys and values stay in a GPU's memory: `present.*` outputs are bound to the device and go back into the
//! next call as they lie there, while what is read here (logits, hidden states) comes to the host.

use std::collections::BTreeMap;

use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{Session, SessionInputValue, SessionOutputs};
use ort::value::{DynTensorValueType, DynValue};

use super::{Provider, ProviderOptions};

/// Whose memory holds keys and values between calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum CacheMemory {
    /// The host's: outputs are handed over as they come.
    #[default]
    Host,
    /// That of the CUDA device with this number.
    Cuda(i32),
    /// The host's too, by way of a binding: what a device does, where there is none.
    #[cfg(test)]
    BoundHost,
}

impl CacheMemory {
    pub fn of(provider: Provider, options: ProviderOptions) -> Self {
        if provider.is_processor() { Self::Host } else { Self::Cuda(i32::from(options.device)) }
    }

    /// Runs the session. `read` outputs come to the host, `kept` ones stay; of others there is no promise.
    ///
    /// A binding lives for one call: its buffers are owned by the values that come out, so that a past may be used again
    /// for several continuations.
    pub fn run(
        self,
        session: &mut Session,
        inputs: Vec<(String, SessionInputValue)>,
        read: &[&str],
        kept: &[String],
    ) -> ort::Result<BTreeMap<String, DynValue>> {
        let owned = |outputs: SessionOutputs| {
            outputs.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
        };
        let Some(device) = self.memory()? else {
            return session.run(inputs).map(owned);
        };
        let host = MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Device, MemoryType::CPUOutput)?;
        let mut binding = session.create_binding()?;
        for (name, value) in &inputs {
            binding.bind_input(name.as_str(), value)?;
        }
        for name in read {
            binding.bind_output_to_device(*name, &host)?;
        }
        for name in kept {
            binding.bind_output_to_device(name.as_str(), &device)?;
        }
        // Inputs are copied asynchronously: they must have arrived before the graph reads them.
        binding.synchronize_inputs()?;
        let outputs = owned(session.run_binding(&binding)?);
        binding.synchronize_outputs()?;
        Ok(outputs)
    }

    fn memory(self) -> ort::Result<Option<MemoryInfo<'static>>> {
        let info = |device, id| MemoryInfo::new(device, id, AllocatorType::Device, MemoryType::Default);
        match self {
            Self::Host => Ok(None),
            Self::Cuda(id) => info(AllocationDevice::CUDA, id).map(Some),
            #[cfg(test)]
            Self::BoundHost => info(AllocationDevice::CPU, 0).map(Some),
        }
    }
}

/// A copy in the host's memory of a value that a device holds; `None` where it can be read as it is.
pub(super) fn on_host(value: &DynValue) -> ort::Result<Option<DynValue>> {
    let tensor = value.view().downcast::<DynTensorValueType>()?;
    if tensor.memory_info().is_cpu_accessible() {
        return Ok(None);
    }
    tensor.to(AllocationDevice::CPU, 0).map(|copy| Some(copy.into_dyn()))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ArrayD};
    use ort::value::Tensor;

    use super::*;
    use crate::model::OnnxRuntime;

    /// New tokens of two sequences for the decoder of tests/models/llava, on top of `past`.
    fn inputs<'v>(tokens: usize, past: &'v [(String, DynValue)]) -> Vec<(String, SessionInputValue<'v>)> {
        let seen = past[0].1.dtype().tensor_shape().map_or(0, |shape| shape[2] as usize);
        let embeds = ArrayD::from_shape_fn(vec![2, tokens, 32], |at| {
            ((at[0] * 31 + (at[1] + seen) * 17 + at[2] * 7) % 23) as f32 / 23.0 - 0.5
        });
        let positions = Array2::from_shape_fn((2, tokens), |(_, token)| (seen + token) as i64);
        let mut inputs: Vec<(String, SessionInputValue)> = vec![
            ("inputs_embeds".into(), Tensor::from_array(embeds).unwrap().into()),
            (
                "attention_mask".into(),
                Tensor::from_array(Array2::<i64>::ones((2, seen + tokens))).unwrap().into(),
            ),
            ("position_ids".into(), Tensor::from_array(positions).unwrap().into()),
        ];
        inputs.extend(past.iter().map(|(name, value)| (name.clone(), value.view().into())));
        inputs
    }

    /// Bits of the logits of a prompt, of a token after it, and of two tokens after the prompt once more.
    fn decode(memory: CacheMemory, session: &mut Session) -> Vec<Vec<u32>> {
        let names: Vec<String> =
            (0..2).flat_map(|layer| ["key", "value"].map(|part| format!("{layer}.{part}"))).collect();
        let kept: Vec<String> = names.iter().map(|name| format!("present.{name}")).collect();
        let mut run = |tokens: usize, past: &[(String, DynValue)]| {
            let mut outputs = memory.run(session, inputs(tokens, past), &["logits"], &kept).unwrap();
            let logits = outputs["logits"].try_extract_array::<f32>().unwrap();
            let bits = logits.iter().map(|logit| logit.to_bits()).collect::<Vec<_>>();
            let take = |name: &String| {
                let value = outputs.remove(&format!("present.{name}")).unwrap();
                (format!("past_key_values.{name}"), value)
            };
            (bits, names.iter().map(take).collect::<Vec<_>>())
        };
        let empty = |name: &String| {
            let value = Tensor::from_array(ArrayD::<f32>::zeros(vec![2, 2, 0, 8])).unwrap().into_dyn();
            (format!("past_key_values.{name}"), value)
        };
        let (prompt, past) = run(5, &names.iter().map(empty).collect::<Vec<_>>());
        let (token, longer) = run(1, &past);
        let (last, _) = run(1, &longer);
        // What was computed from the prompt's past has not changed it.
        let (again, _) = run(2, &past);
        vec![prompt, token, last, again]
    }

    #[test]
    fn a_bound_call_gives_the_same_bits_and_leaves_its_past_alone() {
        let library = crate::runtime::find_or_install(None, &mut |line| eprintln!("{line}")).unwrap().path;
        let runtime = OnnxRuntime::open(&library, &[]).unwrap();
        let graph = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/llava/onnx/decoder_model_merged.onnx");
        let mut session = Session::builder(&runtime.environment).unwrap().commit_from_file(graph).unwrap();
        let plain = decode(CacheMemory::Host, &mut session);
        let bound = decode(CacheMemory::BoundHost, &mut session);
        assert_eq!(
            plain.iter().map(Vec::len).collect::<Vec<_>>(),
            [5, 1, 1, 2].map(|tokens| 2 * tokens * 414)
        );
        assert!(plain == bound);
    }

    #[test]
    fn keys_and_values_are_kept_where_the_decoder_runs() {
        let on = |provider| CacheMemory::of(provider, ProviderOptions { device: 1, ..Default::default() });
        assert_eq!([Provider::Cpu, Provider::Openvino].map(on), [CacheMemory::Host; 2]);
        assert_eq!([Provider::Cuda, Provider::Tensorrt].map(on), [CacheMemory::Cuda(1); 2]);
    }
}
