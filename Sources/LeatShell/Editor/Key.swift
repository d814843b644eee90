/// A key as the user pressed it, or text that was pasted.
public enum Key: Hashable, Sendable {
    /// A character that is typed as it is.
    case character(Character)
    /// Ctrl and a letter, in lower case.
    case control(Character)
    /// Alt (or Escape before) and a character.
    case alt(Character)
    case enter
    /// Enter that must not send: Alt-Enter or Ctrl-J.
    case newline
    case tab, backTab
    case backspace, delete
    case up, down, left, right, home, end, pageUp, pageDown
    case wordLeft, wordRight
    case deleteWord
    case escape
    /// Text between the marks of bracketed paste.
    case paste(String)
    /// A sequence that means nothing here.
    case unknown
}
