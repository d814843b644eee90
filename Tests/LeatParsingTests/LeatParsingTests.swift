import LeatParsing
import Testing
