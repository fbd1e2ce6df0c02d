"""How much abuse there is, where, who is behind it and what today's controls miss."""

from trustlib.harm.prevalence import Prevalence, prevalence
from trustlib.harm.sample import LabelledSample, Population, segment

__all__ = ["LabelledSample", "Population", "Prevalence", "prevalence", "segment"]
