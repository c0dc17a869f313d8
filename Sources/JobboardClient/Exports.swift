// The board's nouns belong to this library's surface: one import gives both.
@_exported public import Jobboard
