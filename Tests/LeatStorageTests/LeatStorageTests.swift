import LeatStorage
import Testing
