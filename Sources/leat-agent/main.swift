internal import LeatAgent
