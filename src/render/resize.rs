//! Resizing exactly as Pillow does it, to the last bit: what transformers' reference image processors are made of.
//!
//! Pillow convolves rows and columns one after the other, with antialiasing, in 22-bit fixed point, and rounds to 8 bits in between.
//! SIMD resizers (`fast_image_resize`) take the passes in another order and fewer bits: where a filter overshoots at an edge
//! that is up to 14/255 off, and one step in 255 changes a small model's logits in the third decimal.

use std::f64::consts::PI;
use std::ops::Range;

use image::{RgbImage, imageops};

/// Pillow's resampling filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// `BOX`.
    Box,
    /// `BILINEAR`.
    Bilinear,
    /// `HAMMING`.
    Hamming,
    /// `BICUBIC` (a = -0.5).
    Bicubic,
    /// `LANCZOS` (3 lobes).
    Lanczos,
}

impl Filter {
    /// The filter that Pillow gives this number (0, nearest, is no convolution and not among them).
    pub fn from_pillow(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::Lanczos),
            2 => Some(Self::Bilinear),
            3 => Some(Self::Bicubic),
            4 => Some(Self::Box),
            5 => Some(Self::Hamming),
            _ => None,
        }
    }

    /// Half of the filter's width, in pixels of the smaller image.
    fn support(self) -> f64 {
        match self {
            Self::Box => 0.5,
            Self::Bilinear | Self::Hamming => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        let distance = x.abs();
        let sinc = |x: f64| {
            if x == 0.0 { 1.0 } else { libm::sin(x * PI) / (x * PI) }
        };
        match self {
            Self::Box => f64::from(u8::from(x > -0.5 && x <= 0.5)),
            Self::Bilinear => (1.0 - distance).max(0.0),
            Self::Hamming if distance >= 1.0 => 0.0,
            Self::Hamming => sinc(distance) * (0.54 + 0.46 * libm::cos(distance * PI)),
            Self::Bicubic => {
                const A: f64 = -0.5;
                if distance < 1.0 {
                    ((A + 2.0) * distance - (A + 3.0)) * distance * distance + 1.0
                } else if distance < 2.0 {
                    (((distance - 5.0) * distance + 8.0) * distance - 4.0) * A
                } else {
                    0.0
                }
            }
            Self::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Self::Lanczos => 0.0,
        }
    }
}

/// Bits after the point of a coefficient: 8 bits of pixel and 2 of overshoot must fit beside them.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// What one output pixel is made of: where its input pixels start, and their weights.
struct Taps {
    start: usize,
    weights: Vec<i32>,
}

/// Resizes to `width` x `height`; the aspect ratio is not kept.
pub fn resize(image: &RgbImage, width: u32, height: u32, filter: Filter) -> RgbImage {
    resize_window(image, (width, height), Window { corner: (0, 0), size: (width, height) }, filter)
}

/// A part of an image, pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Left and top.
    pub corner: (u32, u32),
    /// Width and height.
    pub size: (u32, u32),
}

/// The part `window` of what resizing to `size` would give; nothing else is computed.
pub fn resize_window(image: &RgbImage, size: (u32, u32), window: Window, filter: Filter) -> RgbImage {
    let ((left, top), (width, height)) = (window.corner, window.size);
    let (columns, rows) = (left..left + width, top..top + height);
    let across = |image: &RgbImage| match image.width() == size.0 {
        true => imageops::crop_imm(image, left, 0, width, image.height()).to_image(),
        false => resize_rows(image, &taps(image.width(), size.0, columns.clone(), filter)),
    };
    let down = |image: &RgbImage, taps: &Option<Vec<Taps>>| match taps {
        None => imageops::crop_imm(image, 0, top, image.width(), height).to_image(),
        Some(taps) => resize_columns(image, taps),
    };
    let mut row_taps = (image.height() != size.1).then(|| taps(image.height(), size.1, rows, filter));
    if vertical_first(image.dimensions(), size) {
        return across(&down(image, &row_taps));
    }
    // Only the rows that the window is made of are resized.
    let Some(taps) = &mut row_taps else {
        return across(&down(image, &None));
    };
    let first = taps.iter().map(|taps| taps.start).min().unwrap_or(0);
    let end = taps.iter().map(|taps| taps.start + taps.weights.len()).max().unwrap_or(0);
    taps.iter_mut().for_each(|taps| taps.start -= first);
    let used = imageops::crop_imm(image, 0, first as u32, image.width(), (end - first) as u32).to_image();
    down(&across(&used), &row_taps)
}

/// Which pass Pillow makes first since version 13: that over columns when the height shrinks, and by more than twice as many
/// pixels as the width. In between, values are cut to 8 bits, so that the order shows.
fn vertical_first((width, height): (u32, u32), (to_width, to_height): (u32, u32)) -> bool {
    let (fewer_rows, fewer_columns) =
        (i64::from(height) - i64::from(to_height), i64::from(width) - i64::from(to_width));
    fewer_rows > 0 && fewer_rows > 2 * fewer_columns
}

/// What the output pixels in `places` are made of.
fn taps(from: u32, to: u32, places: Range<u32>, filter: Filter) -> Vec<Taps> {
    let scale = f64::from(from) / f64::from(to);
    let stretch = scale.max(1.0);
    let support = filter.support() * stretch;
    places
        .map(|place| {
            let center = (f64::from(place) + 0.5) * scale;
            let start = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(from as usize);
            let weights: Vec<f64> =
                (start..end).map(|pixel| filter.weight((pixel as f64 - center + 0.5) / stretch)).collect();
            let total: f64 = weights.iter().sum();
            let fixed = |weight: &f64| {
                let normalised = if total == 0.0 { *weight } else { weight / total };
                let scaled = normalised * f64::from(1 << PRECISION_BITS);
                (scaled + 0.5f64.copysign(scaled)) as i32
            };
            Taps { start, weights: weights.iter().map(fixed).collect() }
        })
        .collect()
}

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

const HALF: i32 = 1 << (PRECISION_BITS - 1);

fn resize_rows(image: &RgbImage, taps: &[Taps]) -> RgbImage {
    let width = taps.len() as u32;
    let mut resized = RgbImage::new(width, image.height());
    let (source_stride, stride) = (image.width() as usize * 3, width as usize * 3);
    let rows = image.as_raw().chunks_exact(source_stride.max(1));
    for (source, target) in rows.zip(resized.chunks_exact_mut(stride.max(1))) {
        for (taps, pixel) in taps.iter().zip(target.chunks_exact_mut(3)) {
            let mut sums = [HALF; 3];
            let pixels = source[taps.start * 3..].chunks_exact(3);
            for (weight, source) in taps.weights.iter().zip(pixels) {
                for channel in 0..3 {
                    sums[channel] += i32::from(source[channel]) * weight;
                }
            }
            pixel.copy_from_slice(&sums.map(to_byte));
        }
    }
    resized
}

fn resize_columns(image: &RgbImage, taps: &[Taps]) -> RgbImage {
    let mut resized = RgbImage::new(image.width(), taps.len() as u32);
    let stride = image.width() as usize * 3;
    let source = image.as_raw();
    let mut sums = vec![0; stride];
    for (taps, target) in taps.iter().zip(resized.chunks_exact_mut(stride.max(1))) {
        sums.fill(HALF);
        for (weight, row) in
            taps.weights.iter().zip(source[taps.start * stride..].chunks_exact(stride.max(1)))
        {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += i32::from(*value) * weight);
        }
        target.iter_mut().zip(&sums).for_each(|(value, sum)| *value = to_byte(*sum));
    }
    resized
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_flat_image_stays_flat() {
        let image = RgbImage::from_pixel(37, 19, Rgb([10, 200, 255]));
        for filter in [Filter::Box, Filter::Bilinear, Filter::Hamming, Filter::Bicubic, Filter::Lanczos] {
            for (width, height) in [(5, 3), (80, 90), (37, 1)] {
                let resized = resize(&image, width, height, filter);
                assert!(
                    resized.pixels().all(|pixel| pixel.0 == [10, 200, 255]),
                    "{filter:?} {width}x{height}"
                );
            }
        }
    }

    #[test]
    fn a_window_is_a_part_of_the_whole() {
        let image = RgbImage::from_fn(31, 17, |x, y| Rgb([(x * 8) as u8, (y * 15) as u8, (x * y) as u8]));
        let window = Window { corner: (3, 5), size: (9, 7) };
        for size in [(20, 40), (31, 12), (12, 17), (31, 17)] {
            let whole = resize(&image, size.0, size.1, Filter::Bicubic);
            let part = imageops::crop_imm(&whole, 3, 5, 9, 7).to_image();
            assert_eq!(resize_window(&image, size, window, Filter::Bicubic), part, "{size:?}");
        }
    }

    #[test]
    fn the_same_size_is_the_same_image() {
        let image = RgbImage::from_fn(9, 7, |x, y| Rgb([x as u8, y as u8, (x * y) as u8]));
        assert_eq!(resize(&image, 9, 7, Filter::Lanczos), image);
    }
}
