//! An image as Qwen's vision encoders take it: a row for each patch, and patches that are merged to one token together.

use image::RgbImage;
use ndarray::Array2;

use super::Normalisation;

/// How an image is cut into patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patches {
    /// Side of a patch in pixels.
    pub patch: usize,
    /// Patches along each side of the square that becomes one token.
    pub merge: usize,
    /// Frames in a patch; an image is as many equal frames.
    pub temporal: usize,
}

impl Patches {
    /// Rows [patches, channels * temporal * patch * patch], and how many rows and columns of patches there are. Patches of one
    /// token follow each other, tokens go by rows; a row holds channels, frames, then the pixels by rows.
    ///
    /// # Errors
    /// When the sides are no multiples of a token's side.
    pub fn cut(
        &self,
        image: &RgbImage,
        normalisation: &Normalisation,
    ) -> Result<(Array2<f32>, usize, usize), String> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let side = self.patch * self.merge;
        if side == 0 || width % side != 0 || height % side != 0 {
            return Err(format!("{width}x{height} cannot be cut into tokens of {side}x{side} pixels"));
        }
        let (rows, columns) = (height / self.patch, width / self.patch);
        let bytes = image.as_raw();
        let frame = self.patch * self.patch;
        let mut values = Vec::with_capacity(width * height * 3 * self.temporal);
        for (top, left) in self.origins(rows, columns) {
            for channel in 0..3 {
                let start = values.len();
                for y in top..top + self.patch {
                    let line = &bytes[(y * width + left) * 3..(y * width + left + self.patch) * 3];
                    values.extend(line.chunks_exact(3).map(|rgb| normalisation.value(channel, rgb[channel])));
                }
                for _ in 1..self.temporal {
                    values.extend_from_within(start..start + frame);
                }
            }
        }
        let shape = (rows * columns, 3 * self.temporal * frame);
        let patches = Array2::from_shape_vec(shape, values).map_err(|error| error.to_string())?;
        Ok((patches, rows, columns))
    }

    /// Upper left pixels of the patches, top and left, in their order.
    fn origins(self, rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
        let Self { patch, merge, .. } = self;
        let tokens =
            (0..rows / merge).flat_map(move |row| (0..columns / merge).map(move |column| (row, column)));
        tokens.flat_map(move |(row, column)| {
            let within = (0..merge).flat_map(move |y| (0..merge).map(move |x| (y, x)));
            within.map(move |(y, x)| ((row * merge + y) * patch, (column * merge + x) * patch))
        })
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use serde_json::json;

    use super::*;

    #[test]
    fn patches_of_one_token_follow_each_other() {
        let image = RgbImage::from_fn(8, 4, |x, y| Rgb([(y * 8 + x) as u8, 100, 200]));
        let plain = Normalisation::from_config(&json!({"do_rescale": false, "do_normalize": false})).unwrap();
        let patches = Patches { patch: 2, merge: 2, temporal: 2 };
        let (rows, high, wide) = patches.cut(&image, &plain).unwrap();
        assert_eq!((rows.dim(), high, wide), ((8, 24), 2, 4));
        let firsts: Vec<f32> = rows.column(0).to_vec();
        assert_eq!(firsts, [0.0, 2.0, 16.0, 18.0, 4.0, 6.0, 20.0, 22.0]);
        let first = [[0.0, 1.0, 8.0, 9.0].repeat(2), vec![100.0; 8], vec![200.0; 8]].concat();
        assert_eq!(rows.row(0).to_vec(), first);
        assert!(patches.cut(&RgbImage::new(6, 4), &plain).is_err());
    }
}
