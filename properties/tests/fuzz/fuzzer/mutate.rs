//! Makes an input that nobody has written out of those that somebody has.

use std::ops::Range;

use super::edges::{EDGES, NESTS, NUMBERS};
use crate::dice::Dice;

/// How many changes one mutation has, mostly few: many at once only reach the first check.
const CHANGES: [usize; 8] = [1, 1, 1, 2, 2, 3, 5, 8];
/// How long a piece is at most.
const PIECES_BYTES: [usize; 5] = [1, 4, 16, 256, 64 * 1024];
/// Around the limits that parsers have, and far beyond them.
const DEPTHS: [usize; 7] = [1, 2, 63, 79, 127, 1_000, 10_000];
const MOST_ESCAPED_BYTES: usize = 16;

/// A mutation of one of the pool, not larger than that many bytes.
pub(super) fn mutated(dice: &mut Dice, pool: &[Vec<u8>], tokens: &[&str], most_bytes: usize) -> Vec<u8> {
    let input = dice.pick(pool).cloned().unwrap_or_default();
    let changes = dice.pick(&CHANGES).copied().unwrap_or(1);
    let mut draft = Draft { dice, pool, tokens, most_bytes, input };
    for _ in 0..changes {
        draft.change();
    }
    draft.input
}

struct Draft<'a> {
    dice: &'a mut Dice,
    pool: &'a [Vec<u8>],
    tokens: &'a [&'a str],
    most_bytes: usize,
    input: Vec<u8>,
}

impl<'a> Draft<'a> {
    fn change(&mut self) {
        match self.dice.below(15) {
            0 => self.flip_a_bit(),
            1 => self.cut_an_end_off(),
            2 => self.leave_a_piece_out(),
            3..=5 => self.insert_a_token(),
            6 => self.replace_a_piece_by_a_token(),
            7 => self.insert_an_edge(),
            8 => self.change_a_number(),
            9 => self.repeat_a_piece(),
            10 => self.nest_a_piece(),
            11 => self.copy_a_piece(),
            12 => self.splice(),
            13 => self.shuffle(),
            _ => self.escape_a_piece(),
        }
    }

    fn place(&mut self) -> usize {
        self.dice.below(self.input.len() + 1)
    }

    fn piece(&mut self) -> Range<usize> {
        let start = self.place();
        let most = self.dice.pick(&PIECES_BYTES).copied().unwrap_or(1);
        let end = start + self.dice.below(most.min(self.input.len() - start) + 1);
        start..end
    }

    fn token(&mut self) -> &'a str {
        self.dice.pick(self.tokens).copied().unwrap_or_default()
    }

    /// Puts bytes in the place of a piece, if there is room.
    fn put(&mut self, piece: Range<usize>, bytes: &[u8]) {
        if self.input.len() - piece.len() + bytes.len() <= self.most_bytes {
            drop(self.input.splice(piece, bytes.iter().copied()));
        }
    }

    fn flip_a_bit(&mut self) {
        let (at, bit) = (self.dice.below(self.input.len()), self.dice.below(8));
        if let Some(byte) = self.input.get_mut(at) {
            *byte ^= 1u8 << bit;
        }
    }

    fn cut_an_end_off(&mut self) {
        let at = self.place();
        if self.dice.once_in(2) {
            self.input.truncate(at);
        } else {
            self.put(0..at, b"");
        }
    }

    fn leave_a_piece_out(&mut self) {
        let piece = self.piece();
        self.put(piece, b"");
    }

    fn insert_a_token(&mut self) {
        let (at, token) = (self.place(), self.token());
        self.put(at..at, token.as_bytes());
    }

    fn replace_a_piece_by_a_token(&mut self) {
        let (piece, token) = (self.piece(), self.token());
        self.put(piece, token.as_bytes());
    }

    fn insert_an_edge(&mut self) {
        let at = self.place();
        if let Some(edge) = self.dice.pick(EDGES) {
            self.put(at..at, edge);
        }
    }

    fn change_a_number(&mut self) {
        let from = self.place();
        let Some(start) = self.input[from..].iter().position(u8::is_ascii_digit).map(|skipped| from + skipped) else {
            return;
        };
        let digits = self.input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if let Some(number) = self.dice.pick(NUMBERS) {
            self.put(start..start + digits, number.as_bytes());
        }
    }

    fn repeat_a_piece(&mut self) {
        let piece = self.piece();
        let bytes = self.input[piece.clone()].to_vec();
        let room = self.most_bytes.saturating_sub(self.input.len()) / bytes.len().max(1);
        let times = if self.dice.once_in(20) { room } else { self.dice.between(1, 9).min(room) };
        self.put(piece.end..piece.end, &bytes.repeat(times));
    }

    fn nest_a_piece(&mut self) {
        let piece = self.piece();
        let depth = self.dice.pick(&DEPTHS).copied().unwrap_or(1);
        let Some((open, close)) = self.dice.pick(NESTS) else { return };
        let parts =
            [open.repeat(depth).as_bytes(), &self.input[piece.clone()], close.repeat(depth).as_bytes()].concat();
        self.put(piece, &parts);
    }

    fn copy_a_piece(&mut self) {
        let (piece, at) = (self.piece(), self.place());
        let bytes = self.input[piece].to_vec();
        self.put(at..at, &bytes);
    }

    /// The beginning of this one and the end of another.
    fn splice(&mut self) {
        let at = self.place();
        let Some(other) = self.dice.pick(self.pool) else { return };
        let from = self.dice.below(other.len() + 1);
        self.put(at..self.input.len(), &other[from..]);
    }

    /// A few pieces in another order.
    fn shuffle(&mut self) {
        let mut cuts: Vec<usize> = (0..self.dice.between(1, 4)).map(|_| self.place()).collect();
        cuts.sort_unstable();
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([self.input.len()]);
        let mut pieces: Vec<&[u8]> = starts.zip(ends).map(|(start, end)| &self.input[start..end]).collect();
        self.dice.shuffle(&mut pieces);
        self.input = pieces.concat();
    }

    /// The same in another spelling, which some parser takes for the same.
    fn escape_a_piece(&mut self) {
        let piece = self.piece();
        let piece = piece.start..piece.end.min(piece.start + MOST_ESCAPED_BYTES);
        let spelling = self.dice.below(3);
        let spell = |byte: &u8| match spelling {
            0 => format!("%{byte:02X}"),
            1 => format!("&#{byte};"),
            _ => format!("\\u{byte:04x}"),
        };
        let spelt: String = self.input[piece.clone()].iter().map(spell).collect();
        self.put(piece, spelt.as_bytes());
    }
}
