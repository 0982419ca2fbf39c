//! Splits Rust source into the tokens that paths and items are made of. Drops comments, literals and code under
//! `#[cfg(test)]`.

/// A word, `::`, or any other single character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// An identifier or a keyword.
    Word(String),
    /// `::`.
    PathSeparator,
    /// Any other character that is not blank.
    Mark(char),
}

impl Token {
    /// The word, if it is one.
    pub fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::PathSeparator | Self::Mark(_) => None,
        }
    }

    /// Whether it is this character.
    pub fn is(&self, mark: char) -> bool {
        *self == Self::Mark(mark)
    }
}

/// The tokens of `source` outside of tests.
pub fn tokens(source: &str) -> Vec<Token> {
    without_tests(&all_tokens(source))
}

fn all_tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(&c) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        if let Some(end) = literal_end(&chars, at).or_else(|| comment_end(&chars, at)) {
            at = end;
        } else if is_word(c) {
            let end = (at..chars.len()).find(|&end| !is_word(chars[end])).unwrap_or(chars.len());
            tokens.push(Token::Word(chars[at..end].iter().collect()));
            at = end;
        } else if c == ':' && next == Some(':') {
            tokens.push(Token::PathSeparator);
            at += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(Token::Mark(c));
            }
            at += 1;
        }
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where the comment that begins at `at` ends.
fn comment_end(chars: &[char], at: usize) -> Option<usize> {
    match (chars[at], chars.get(at + 1)) {
        ('/', Some('/')) => Some(position(chars, at, '\n')),
        ('/', Some('*')) => {
            let end = (at + 2..chars.len()).find(|&end| chars[end - 1] == '*' && chars[end] == '/');
            Some(end.map_or(chars.len(), |end| end + 1))
        }
        _ => None,
    }
}

/// Where the string or character that begins at `at` ends. A lifetime is neither.
fn literal_end(chars: &[char], at: usize) -> Option<usize> {
    let follows_word = at > 0 && is_word(chars[at - 1]);
    match chars[at] {
        '"' => Some(string_end(chars, at)),
        'r' if !follows_word => raw_string_end(chars, at + 1),
        'b' if !follows_word && chars.get(at + 1) == Some(&'r') => raw_string_end(chars, at + 2),
        '\'' if chars.get(at + 1) == Some(&'\\') => Some(position(chars, at + 3, '\'') + 1),
        '\'' if chars.get(at + 2) == Some(&'\'') => Some(at + 3),
        _ => None,
    }
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn raw_string_end(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + hashes) != Some(&'"') {
        return None;
    }
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let start = at + hashes + 1;
    let end = (start..chars.len()).find(|&end| chars[end..].starts_with(&close));
    Some(end.map_or(chars.len(), |end| end + close.len()))
}

fn position(chars: &[char], from: usize, wanted: char) -> usize {
    (from..chars.len()).find(|&at| chars[at] == wanted).unwrap_or(chars.len())
}

fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if is_cfg_test(&tokens[at..]) {
            at = item_end(tokens, at);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// `#[cfg(test)]`, exactly.
fn is_cfg_test(tokens: &[Token]) -> bool {
    let texts: Vec<String> = tokens.iter().take(7).map(text).collect();
    texts == ["#", "[", "cfg", "(", "test", ")", "]"]
}

fn text(token: &Token) -> String {
    match token {
        Token::Word(word) => word.clone(),
        Token::PathSeparator => "::".to_owned(),
        Token::Mark(mark) => mark.to_string(),
    }
}

/// Where the item whose attributes begin at `at` ends: behind its `;` or its block.
fn item_end(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0_i32;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Mark('{' | '[' | '(') => depth += 1,
            Token::Mark('}' | ']' | ')') => {
                depth -= 1;
                if depth == 0 && token.is('}') {
                    let is_use_tree = tokens.get(index + 1).is_some_and(|next| next.is(';'));
                    return index + 1 + usize::from(is_use_tree);
                }
            }
            Token::Mark(';') if depth == 0 => return index + 1,
            _ => {}
        }
    }
    tokens.len()
}
