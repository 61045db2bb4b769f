//! Rows that join a product whose activations are quantized while the graph runs, on one scale for the whole pass.
//!
//! The scale is that of the pass's own states, which must not change by company. The stream after an early layer may reach
//! beyond it, and would be cut off: such rows are scaled down before they are quantized, and their logits scaled up again.

use crate::model::graph::{Attribute, Edit, FLOAT, Graph, Node};

/// What activations are quantized to, of unsigned bytes.
const LARGEST: f32 = 255.0;

/// How a product's activations are quantized while the graph runs.
pub(super) struct Quantization {
    /// The quantized ones, [batch, sequence, hidden].
    pub activations: String,
    pub scale: String,
    pub zero_point: String,
}

/// Rows on the scale of the pass.
pub(super) struct Fitted {
    /// [rows, hidden], quantized.
    pub rows: &'static str,
    /// What each was divided by, [rows, 1]; 1 for those that fitted.
    divisors: &'static str,
}

impl Quantization {
    /// Of a product that reads `activations`; adds it as nodes where it is inside of the product.
    pub fn of(graph: &Graph, product: &Node, activations: &str, edit: &mut Edit) -> Option<Self> {
        if product.operator == "DynamicQuantizeMatMul" {
            let names = ["crossmodal.all_quantized", "crossmodal.all_scale", "crossmodal.all_zero_point"];
            edit.node("DynamicQuantizeLinear", "", &[activations], &names);
            return Some(Self::named(names));
        }
        let source =
            graph.producer(activations).filter(|source| source.operator == "DynamicQuantizeLinear")?;
        <[&str; 3]>::try_from(&source.outputs[..]).ok().map(Self::named)
    }

    fn named(names: [&str; 3]) -> Self {
        let [activations, scale, zero_point] = names.map(String::from);
        Self { activations, scale, zero_point }
    }

    /// Quantizes further rows [rows, hidden].
    pub fn fit(&self, rows: &str, edit: &mut Edit) -> Fitted {
        let fitted = Fitted { rows: "crossmodal.fitted_quantized", divisors: "crossmodal.fitted_divisors" };
        let [zero_point, one_row] = ["crossmodal.fitted_zero_point", "crossmodal.fitted_one"];
        let [unit, divided] = ["crossmodal.fitted_unit", "crossmodal.fitted_rows"];
        edit.node_with(
            "Cast",
            "",
            &[&self.zero_point],
            &[zero_point],
            &[Attribute::Integer("to", FLOAT as i64)],
        );
        edit.integers(one_row, &[1]);
        edit.float(unit, 1.0);
        edit.node("Neg", "", &[rows], &["crossmodal.fitted_negative"]);
        // What rounds into the range is in it: the pass's own states all do.
        let mut parts = vec![unit.to_string()];
        for (side, values, offset, operator) in
            [("above", rows, LARGEST + 0.5, "Sub"), ("below", "crossmodal.fitted_negative", 0.5, "Add")]
        {
            let named = |part: &str| format!("crossmodal.fitted_{side}_{part}");
            let [offsets, steps, limit, most, index, over] =
                ["offset", "steps", "limit", "most", "index", "over"].map(named);
            edit.float(&offsets, offset);
            edit.node(operator, "", &[&offsets, zero_point], &[&steps]);
            edit.node("Mul", "", &[&steps, &self.scale], &[&limit]);
            edit.node("TopK", "", &[values, one_row], &[&most, &index]);
            edit.node("Div", "", &[&most, &limit], &[&over]);
            parts.push(over);
        }
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        edit.node("Max", "", &parts, &[fitted.divisors]);
        edit.node("Div", "", &[rows, fitted.divisors], &[divided]);
        edit.node("QuantizeLinear", "", &[divided, &self.scale, &self.zero_point], &[fitted.rows]);
        fitted
    }

    /// What the logits of all rows are to be multiplied with, [`asked` + rows, 1]: 1 for the asked ones.
    pub fn factors(&self, asked: &str, fitted: &Fitted, edit: &mut Edit) -> &'static str {
        let [factors, numbers, ones] =
            ["crossmodal.row_factors", "crossmodal.asked_numbers", "crossmodal.asked_ones"];
        let [zero, one, power] =
            ["crossmodal.column_start", "crossmodal.column_end", "crossmodal.power_zero"];
        edit.integers(zero, &[0]);
        edit.integers(one, &[1]);
        edit.float(power, 0.0);
        edit.node_with(
            "Cast",
            "",
            &[asked],
            &["crossmodal.asked_floats"],
            &[Attribute::Integer("to", FLOAT as i64)],
        );
        edit.node("Slice", "", &["crossmodal.asked_floats", zero, one, one], &[numbers]);
        edit.node("Pow", "", &[numbers, power], &[ones]); // x^0, as many as are asked
        let axis = [Attribute::Integer("axis", 0)];
        edit.node_with("Concat", "", &[ones, fitted.divisors], &[factors], &axis);
        factors
    }
}
