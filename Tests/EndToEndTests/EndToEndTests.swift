import LeatTesting
import Testing
