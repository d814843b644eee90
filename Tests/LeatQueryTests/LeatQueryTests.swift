import LeatQuery
import Testing
