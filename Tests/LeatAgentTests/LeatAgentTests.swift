import LeatAgent
import Testing
