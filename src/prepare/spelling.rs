//! Which first tokens say which option.

use std::collections::{BTreeMap, BTreeSet};

use tokenizers::Tokenizer;

use crate::suite::AnswerOption;

/// First tokens of each option's spellings, with and without a leading space. A token that two options share says
/// neither, and is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptionTokens {
    /// Names, in the order of the suite.
    pub names: Vec<String>,
    /// Token ids of each option, sorted.
    pub tokens: Vec<Vec<u32>>,
}

impl OptionTokens {
    /// Tokenizes the spellings.
    ///
    /// # Errors
    /// When an option has no first token of its own, so that no answer could be told from another's.
    pub fn of(options: &[AnswerOption], tokenizer: &Tokenizer) -> Result<Self, String> {
        let first_tokens = |option: &AnswerOption| -> BTreeSet<u32> {
            let forms =
                option.spellings.iter().flat_map(|spelling| [spelling.clone(), format!(" {spelling}")]);
            forms.filter_map(|form| tokenizer.encode(form, false).ok()?.get_ids().first().copied()).collect()
        };
        let all: Vec<BTreeSet<u32>> = options.iter().map(first_tokens).collect();
        let mut uses: BTreeMap<u32, usize> = BTreeMap::new();
        all.iter().flatten().for_each(|token| *uses.entry(*token).or_default() += 1);
        let own = |tokens: &BTreeSet<u32>| tokens.iter().copied().filter(|token| uses[token] == 1).collect();
        let tokens: Vec<Vec<u32>> = all.iter().map(own).collect();
        if let Some(option) = tokens.iter().position(Vec::is_empty) {
            return Err(format!(
                "the option {:?} has no first token of its own under this model's tokenizer: answers that begin alike cannot be told apart by one token",
                options[option].name
            ));
        }
        Ok(Self { names: options.iter().map(|option| option.name.clone()).collect(), tokens })
    }

    /// The option that a token says.
    pub fn option_of(&self, token: u32) -> Option<usize> {
        self.tokens.iter().position(|tokens| tokens.contains(&token))
    }
}
