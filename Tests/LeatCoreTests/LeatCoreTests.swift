import LeatCore
import Testing
